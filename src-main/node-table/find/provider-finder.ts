import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { within } from '../../base/within.js'
import type { StatusAsker } from '../status/peer-status.js'
import type { TableView } from '../view/view.js'
import type { ProviderRecords } from './provider-records.js'

/** Where providers are looked up; the setting `table.reader`. */
export type TableReader = 'auto' | 'full' | 'dht'

/** Finds providers that the table may not hold. */
export interface ProviderFinder {
  /** What a lookup that finds nothing does now. */
  reader(): 'full' | 'dht'
  find(service: string, entry: string): Promise<ReadonlySet<string>>
}

/** Live rows from which on a lookup that finds nothing also asks the DHT. */
const FULL_REPLICA_ROWS = 10_000
const FIND_WITHIN_MS = 5_000
/** Questions to peers at a time, and in all: identities near a key must not hide those who do offer it. */
const MAX_AT_ONCE = 16
const MAX_ASKED = 128
/** A peer that has not answered after this long holds up no other question; its own goes on. */
const PATIENCE_MS = 500
/** Providers with a row at which a lookup ends: more than one, as the first to show a row may do nothing else. */
const ENOUGH_PROVIDERS = 3
const REMEMBER_MS = 10_000
const MAX_REMEMBERED = 256

/** A finder that asks the DHT, and the peers it names for their rows. */
export function createProviderFinder(
  needs: {
    view: TableView
    records: Pick<ProviderRecords, 'find'>
    asker: Pick<StatusAsker, 'refreshWithRow'>
    monotonic: MonotonicClock
  },
  options: { selfId: string; reader: TableReader; fullReplicaRows?: number },
): ProviderFinder {
  const { view, records, asker, monotonic } = needs
  const { fullReplicaRows = FULL_REPLICA_ROWS } = options
  const searches = new BoundedMap<string, { atMs: number; done: Promise<void> }>(MAX_REMEMBERED)

  function reader(): 'full' | 'dht' {
    if (options.reader !== 'auto') return options.reader
    return view.size >= fullReplicaRows || view.isFull ? 'dht' : 'full'
  }

  const countProviders = (service: string, entry: string): number => view.offers.providers(service, entry).size

  /** Calls `onFirst` at the first provider that has shown its row: a request waits for that. */
  async function search(service: string, entry: string, onFirst: () => void): Promise<void> {
    const enough = new AbortController()
    const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(FIND_WITHIN_MS)])
    const over = aborted(signal)
    const asked = new Set<string>([options.selfId])
    const questions = new Set<Promise<void>>()
    const slots = new Set<Promise<void>>()
    for await (const peerId of records.find(service, entry, signal)) {
      if (asked.has(peerId)) continue
      asked.add(peerId)
      const question = asker.refreshWithRow(peerId).then(() => {
        questions.delete(question)
        const count = countProviders(service, entry)
        if (count > 0) onFirst()
        if (count >= ENOUGH_PROVIDERS) enough.abort()
      })
      questions.add(question)
      const slot = within(question, PATIENCE_MS, () => undefined).finally(() => slots.delete(slot))
      slots.add(slot)
      if (slots.size >= MAX_AT_ONCE) await Promise.race([...slots, over])
      if (signal.aborted || asked.size > MAX_ASKED) break
    }
    await Promise.race([Promise.all(questions), over])
  }

  function searchOnce(service: string, entry: string): Promise<void> {
    const name = `${service}\n${entry}`
    const now = monotonic.elapsedMs()
    const before = searches.peek(name)
    if (before !== undefined && now - before.atMs < REMEMBER_MS) return before.done
    const done = new Promise<void>((resolve) => {
      void search(service, entry, resolve).finally(resolve)
    })
    searches.set(name, { atMs: now, done })
    return done
  }

  return {
    reader,
    async find(service, entry) {
      const isMissing = countProviders(service, entry) === 0
      if (isMissing && reader() === 'dht') await searchOnce(service, entry)
      return view.offers.providers(service, entry)
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
