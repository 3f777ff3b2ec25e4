import { rename } from 'node:fs/promises'
import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import type { LedgerRow, LedgerSummary } from '#shared/contract/sharing/ledger.js'
import type { Clock } from '../../../base/clock.js'
import { readJsonFile, writeJsonFile } from '../../../base/json-file.js'
import { Listeners } from '../../../base/listeners.js'
import type { Log } from '../../../logging/index.js'
import { createLedgerBook, LedgerFileSchema, type LedgerBook } from './ledger-book.js'
import type { Ledger } from './index.js'

/** A crash loses at most what came within this time. */
const SAVE_MS = 10_000
/** Under this name go requests that named a model this machine does not share. */
const UNKNOWN_MODEL = 'unknown'

/** Keeps the book of what finished requests of peers were given. */
export function createLedger(
  needs: {
    traffic: { onFinished(listener: (entry: Readonly<TrafficEntry>) => void): () => void }
    /** Whether this machine shares a model of that name: what a stranger writes must not fill the book. */
    isShared: (model: string) => boolean
    clock: Clock
    log: Log
  },
  options: { file: string },
): Ledger {
  const log = needs.log.forComponent('ledger')
  const listeners = new Listeners()
  let book: LedgerBook = createLedgerBook()
  let stopListening: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  let saving: Promise<void> = Promise.resolve()

  function take(entry: Readonly<TrafficEntry>): void {
    if (entry.direction !== 'in' || entry.peer === null || entry.method === 'GET' || entry.method === 'HEAD') return
    const status = entry.status ?? 0
    const isAnswered = (status === 101 || status >= 200) && status < 400 && entry.error === null
    // What was refused before a server saw it was not asked of anybody's computer.
    if (!isAnswered && entry.tries === 0) return
    book.add({
      day: dayOf(needs.clock.now()),
      model: entry.model !== null && needs.isShared(entry.model) ? entry.model : UNKNOWN_MODEL,
      peer: entry.peer,
      requests: isAnswered ? 1 : 0,
      failed: isAnswered ? 0 : 1,
      tokensIn: entry.tokensIn ?? 0,
      tokensOut: entry.tokens ?? 0,
      tokensEstimated: entry.tokensFrom === 'chunks' ? (entry.tokens ?? 0) : 0,
    })
    timer ??= setTimeout(save, SAVE_MS)
    timer.unref()
    listeners.notify()
  }

  function save(): void {
    clearTimeout(timer)
    timer = undefined
    saving = saving
      .then(() => writeJsonFile(options.file, book.toFile(), { indent: 0 }))
      .catch((error: unknown) => log.error('the ledger could not be saved', { file: options.file, error }))
  }

  async function load(): Promise<void> {
    const content = await readJsonFile(options.file, LedgerFileSchema)
    if (content.kind === 'read') book = createLedgerBook(content.value)
    if (content.kind !== 'broken') return
    const aside = `${options.file}.unreadable`
    await rename(options.file, aside)
    log.error('the ledger cannot be understood; it is kept aside and a new one begins', {
      file: aside,
      reason: content.reason,
    })
  }

  return {
    name: 'ledger',
    async start(signal) {
      signal.throwIfAborted()
      await load()
      stopListening = needs.traffic.onFinished(take)
    },
    async stop() {
      stopListening?.()
      listeners.clear()
      if (timer !== undefined) save()
      await saving
    },
    summary: () => ({
      today: book.totals(dayOf(needs.clock.now())),
      ever: book.everything(),
      firstDay: book.firstDay,
    }),
    rows: (days) => book.rows(days),
    givenToday(peerId) {
      const nowMs = needs.clock.now()
      return { tokens: book.tokensOf(peerId, dayOf(nowMs)), endsInMs: dayBegins(nowMs, 1) - nowMs }
    },
    wasServed: (peerId) => book.wasServed(peerId),
    subscribe: (listener) => listeners.add(listener),
  }
}

/** The day that was asked for last, and its bounds in Unix milliseconds: asked for several times a request. */
let lastDay = { text: '', from: 0, until: 0 }

/** The day on this machine's calendar. */
function dayOf(ms: number): string {
  if (ms < lastDay.from || ms >= lastDay.until)
    lastDay = { text: dayText(ms), from: dayBegins(ms), until: dayBegins(ms, 1) }
  return lastDay.text
}

function dayText(ms: number): string {
  const at = new Date(ms)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

const COLUMNS = ['day', 'model', 'peer', 'requests', 'failed', 'tokensIn', 'tokensOut', 'tokensEstimated'] as const

/** The ledger as a file to save. */
export function ledgerText(
  format: 'json' | 'csv',
  ledger: { summary: LedgerSummary; rows: readonly LedgerRow[] },
): { fileName: string; mediaType: string; text: string } {
  if (format === 'json') {
    return { fileName: 'ledger.json', mediaType: 'application/json', text: `${JSON.stringify(ledger, null, 2)}\n` }
  }
  const lines = [COLUMNS.join(','), ...ledger.rows.map((row) => COLUMNS.map((name) => cell(row[name])).join(','))]
  return { fileName: 'ledger.csv', mediaType: 'text/csv', text: lines.map((line) => `${line}\r\n`).join('') }
}

/** RFC 4180; what a spreadsheet would take for a formula gets a quote before it. */
function cell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** When that day begins, or one so many days later, in Unix milliseconds. */
function dayBegins(ms: number, later = 0): number {
  const at = new Date(ms)
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + later).getTime()
}
