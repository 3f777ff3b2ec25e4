import { z } from 'zod'
import type { LedgerRow, LedgerTotals } from '#shared/contract/sharing/ledger.js'

/** Rows that name a peer are kept this long; older days are kept per model. */
const DETAIL_DAYS = 60
const MAX_DAYS = 800
/** Rows of one day; what is beyond goes to `other`. */
const MAX_ROWS_PER_DAY = 500
/** Peers that are known to have been helped. */
const MAX_PEERS = 20_000
/** Peers whose tokens of one day are counted apart; those beyond share one count. */
const MAX_PEERS_PER_DAY = 20_000

/** Where rows go that are too many. */
const OTHER = 'other'

const figure = z.number().nonnegative()
const FiguresSchema = z.object({
  requests: figure,
  failed: figure,
  tokensIn: figure,
  tokensOut: figure,
  tokensEstimated: figure,
})
type Figures = z.output<typeof FiguresSchema>

const RowSchema = FiguresSchema.extend({ model: z.string().max(512), peer: z.string().max(128).nullable() })
type Row = z.output<typeof RowSchema>

const DaySchema = z.string().regex(/^\d{4}-\d\d-\d\d$/)

/** `ledger.json`. */
export const LedgerFileSchema = z.object({
  format: z.literal(1),
  days: z.array(z.object({ day: DaySchema, rows: z.array(RowSchema).max(MAX_ROWS_PER_DAY + 1) })).max(MAX_DAYS),
  peers: z.array(z.string().max(128)).max(MAX_PEERS),
  /** Peers beyond those. */
  morePeers: figure.default(0),
  /** Of days that are no longer kept. */
  before: FiguresSchema,
  firstDay: DaySchema.nullable(),
})
export type LedgerFile = z.output<typeof LedgerFileSchema>

/** One request that a peer made here. */
type GivenRequest = Figures & { day: string; model: string; peer: string }

/** The ledger in memory: bounded whatever peers do. */
export interface LedgerBook {
  add(request: GivenRequest): void
  totals(day: string): LedgerTotals
  /** Of prompts and answers, those counted here included. */
  tokensOf(peer: string, day: string): number
  wasServed(peer: string): boolean
  everything(): LedgerTotals
  rows(days: number): LedgerRow[]
  readonly firstDay: string | null
  toFile(): LedgerFile
}

/** A book with the content of `file`, or an empty one. */
export function createLedgerBook(file?: LedgerFile): LedgerBook {
  const days = new Map<string, Row[]>(file?.days.map(({ day, rows }) => [day, rows]))
  const peers = new Set(file?.peers)
  const before = { ...(file?.before ?? NOTHING) }
  let morePeers = file?.morePeers ?? 0
  let firstDay = file?.firstDay ?? null
  /** Of the day that was asked for last. */
  let tokens = { day: '', byPeer: new Map<string, number>() }

  function dayRows(day: string): Row[] {
    const known = days.get(day)
    if (known !== undefined) return known
    const rows: Row[] = []
    days.set(day, rows)
    firstDay ??= day
    tidy()
    return rows
  }

  function tokensByPeer(day: string): Map<string, number> {
    if (tokens.day === day) return tokens.byPeer
    tokens = { day, byPeer: new Map() }
    for (const { peer, ...figures } of days.get(day) ?? []) if (peer !== null) countTokens(tokens.byPeer, peer, figures)
    return tokens.byPeer
  }

  /** Old days lose their peers, the oldest only leave their sum. */
  function tidy(): void {
    const sorted = [...days.keys()].sort()
    for (const day of sorted.slice(0, -DETAIL_DAYS)) days.set(day, perModel(days.get(day) ?? []))
    for (const day of sorted.slice(0, -MAX_DAYS)) {
      for (const row of days.get(day) ?? []) addFigures(before, row)
      days.delete(day)
    }
  }

  function everything(): LedgerTotals {
    const sum = { ...before }
    for (const rows of days.values()) for (const row of rows) addFigures(sum, row)
    return { ...totalsOf(sum), peers: peers.size + morePeers }
  }

  return {
    add({ day, model, peer, ...figures }) {
      countTokens(tokensByPeer(day), peer, figures)
      const rows = dayRows(day)
      const row = rows.find((entry) => entry.model === model && entry.peer === peer)
      if (row !== undefined) addFigures(row, figures)
      else if (rows.length < MAX_ROWS_PER_DAY) rows.push({ model, peer, ...figures })
      else {
        const other = rows.find((entry) => entry.model === OTHER && entry.peer === null)
        if (other !== undefined) addFigures(other, figures)
        else rows.push({ model: OTHER, peer: null, ...figures })
      }
      if (figures.requests === 0 || peers.has(peer)) return
      if (peers.size < MAX_PEERS) peers.add(peer)
      else morePeers += 1
    },
    totals(day) {
      const sum = { ...NOTHING }
      const rows = days.get(day) ?? []
      for (const row of rows) addFigures(sum, row)
      const helped = new Set(rows.filter(({ requests, peer }) => requests > 0 && peer !== null).map(({ peer }) => peer))
      return { ...totalsOf(sum), peers: helped.size }
    },
    tokensOf(peer, day) {
      const byPeer = tokensByPeer(day)
      return byPeer.get(countedAs(byPeer, peer)) ?? 0
    },
    wasServed: (peer) => peers.has(peer),
    everything,
    rows(count) {
      const newest = [...days.keys()].sort().reverse().slice(0, count)
      return newest.flatMap((day) => (days.get(day) ?? []).map((row) => ({ day, ...row })))
    },
    get firstDay() {
      return firstDay
    },
    toFile: () => ({
      format: 1,
      days: [...days].map(([day, rows]) => ({ day, rows })),
      peers: [...peers],
      morePeers,
      before,
      firstDay,
    }),
  }
}

const NOTHING: Readonly<Figures> = { requests: 0, failed: 0, tokensIn: 0, tokensOut: 0, tokensEstimated: 0 }

function addFigures(to: Figures, from: Figures): void {
  to.requests += from.requests
  to.failed += from.failed
  to.tokensIn += from.tokensIn
  to.tokensOut += from.tokensOut
  to.tokensEstimated += from.tokensEstimated
}

/** Under which name the tokens of a peer are counted. */
function countedAs(byPeer: ReadonlyMap<string, number>, peer: string): string {
  return byPeer.has(peer) || byPeer.size < MAX_PEERS_PER_DAY ? peer : OTHER
}

function countTokens(byPeer: Map<string, number>, peer: string, { tokensIn, tokensOut }: Figures): void {
  const name = countedAs(byPeer, peer)
  byPeer.set(name, (byPeer.get(name) ?? 0) + tokensIn + tokensOut)
}

function totalsOf({ requests, failed, tokensIn, tokensOut }: Figures): Omit<LedgerTotals, 'peers'> {
  return { requests, failed, tokensIn, tokensOut }
}

function perModel(rows: readonly Row[]): Row[] {
  if (rows.every(({ peer }) => peer === null)) return [...rows]
  const merged = new Map<string, Row>()
  for (const row of rows) {
    const known = merged.get(row.model)
    if (known === undefined) merged.set(row.model, { ...row, peer: null })
    else addFigures(known, row)
  }
  return [...merged.values()]
}
