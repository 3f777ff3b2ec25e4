import { Listeners } from '../../base/listeners.js'
import {
  type NodeTable,
  type PeerStatusEvent,
  ProviderSet,
  type ReadonlyProviderSet,
  type TableEvent,
} from '../../node-table/index.js'
import type { GoProviders } from './providers.js'

/** How long an answer that somebody is there counts for the next question, ms. */
const THERE_FOR_MS = 2_000

/**
 * The node table with the providers of the Go network beside it, for whoever looks for providers: routing, health and the
 * lists of models. It is a view: nothing of these providers is signed, stored, told to others or counted among the rows.
 */
export function joinTable(
  table: NodeTable,
  go: { providers: GoProviders; isThere: (peerId: string) => Promise<void>; nowMs: () => number },
): NodeTable {
  const { providers } = go
  const statusListeners = new Listeners<[PeerStatusEvent]>()
  const asking = new Map<string, Promise<PeerStatusEvent['outcome']>>()
  const thereAtMs = new Map<string, number>()
  const isGo = (peerId: string): boolean => providers.has(peerId) && table.get(peerId) === undefined

  async function ask(peerId: string): Promise<PeerStatusEvent['outcome']> {
    let outcome: PeerStatusEvent['outcome']
    try {
      await go.isThere(peerId)
      // It is there, and tells nothing of its load.
      outcome = { kind: 'unsupported' }
    } catch (error) {
      const reason = error instanceof Error ? error.message.slice(0, 120) : 'it does not answer'
      outcome = { kind: 'unreachable', reason }
    }
    if (outcome.kind === 'unsupported' && providers.has(peerId)) thereAtMs.set(peerId, go.nowMs())
    statusListeners.notify({ type: 'peer:status', peerId, outcome })
    return outcome
  }

  function refresh(peerId: string): Promise<PeerStatusEvent['outcome']> {
    const isFresh = go.nowMs() - (thereAtMs.get(peerId) ?? Number.NEGATIVE_INFINITY) < THERE_FOR_MS
    if (isFresh) return Promise.resolve({ kind: 'unsupported' })
    const running = asking.get(peerId)
    if (running !== undefined) return running
    const work = ask(peerId).finally(() => asking.delete(peerId))
    asking.set(peerId, work)
    return work
  }

  providers.subscribe((event) => {
    if (event.type === 'row:removed') thereAtMs.delete(event.peerId)
  })

  function both(one: ReadonlyProviderSet, other: ReadonlyProviderSet): ReadonlyProviderSet {
    if (other.size === 0) return one
    return one.size === 0 ? other : new ProviderSet([...one, ...other])
  }

  return {
    name: table.name,
    start: (signal) => table.start(signal),
    stop: () => table.stop(),
    publish: (record) => table.publish(record),
    withdraw: () => table.withdraw(),
    health: () => table.health(),
    offers: table.offers,
    get size() {
      return table.size
    },
    get: (peerId) => table.get(peerId) ?? providers.get(peerId),
    *rows() {
      yield* table.rows()
      for (const row of providers.rows()) if (isGo(row.peerId)) yield row
    },
    providers: (service, entry) => both(table.providers(service, entry), providers.providers(service, entry)),
    async findProviders(service, entry, known) {
      const [found, beside] = [await table.findProviders(service, entry, known), providers.providers(service, entry)]
      return beside.size === 0 ? found : new Set([...found, ...beside])
    },
    entries(service) {
      const [own, beside] = [table.entries(service), providers.entries(service)]
      if (beside.size === 0) return own
      const all = new Map<string, ReadonlySet<string>>(own)
      for (const [entry, peers] of beside) all.set(entry, new Set([...(own.get(entry) ?? []), ...peers]))
      return all
    },
    subscribe(listener: (event: TableEvent) => void) {
      const stops = [
        table.subscribe(listener),
        providers.subscribe((event) => {
          const peerId = event.type === 'row:removed' ? event.peerId : event.row.peerId
          // Of a peer with a signed row that row counts.
          if (table.get(peerId) === undefined) listener(event)
        }),
      ]
      return () => stops.forEach((stop) => stop())
    },
    status: {
      get: (peerId) => (isGo(peerId) ? undefined : table.status.get(peerId)),
      peek: (peerId) => (isGo(peerId) ? undefined : table.status.peek(peerId)),
      refresh: (peerId) => (isGo(peerId) ? refresh(peerId) : table.status.refresh(peerId)),
      hint(peerId) {
        if (isGo(peerId)) void refresh(peerId)
        else table.status.hint(peerId)
      },
      subscribe(listener) {
        const stops = [table.status.subscribe(listener), statusListeners.add(listener)]
        return () => stops.forEach((stop) => stop())
      },
    },
  }
}
