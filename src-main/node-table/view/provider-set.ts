import type { OfferedService } from '../index.js'

/** The peers of one offer: a set whose members can also be drawn by number, which saves a walk over all of them. */
export class ProviderSet extends Set<string> {
  readonly #list: string[] = []

  constructor(peerIds: Iterable<string> = []) {
    super()
    for (const peerId of peerIds) this.add(peerId)
  }

  /** The members in no particular order; it changes with the set. */
  get list(): readonly string[] {
    return this.#list
  }

  override add(peerId: string): this {
    if (this.has(peerId)) return this
    this.#list.push(peerId)
    return super.add(peerId)
  }

  override delete(peerId: string): boolean {
    if (!super.delete(peerId)) return false
    const last = this.#list.pop()
    // The last one takes the place of the one that left.
    if (last !== undefined && last !== peerId) this.#list[this.#list.indexOf(peerId)] = last
    return true
  }

  override clear(): void {
    this.#list.length = 0
    super.clear()
  }
}

/** A {@link ProviderSet} that others may only read. */
export type ReadonlyProviderSet = ReadonlySet<string> & Pick<ProviderSet, 'list'>

/** Who offers what: service → identity-group entry → peers. Only services that are `connected` count. */
export interface OfferIndex {
  add(peerId: string, record: { service: readonly OfferedService[] }): void
  /** `record` must be the one that was added. */
  remove(peerId: string, record: { service: readonly OfferedService[] }): void
  providers(service: string, entry: string): ReadonlyProviderSet
  entries(service: string): ReadonlyMap<string, ReadonlySet<string>>
}

const NO_PEERS: ReadonlyProviderSet = new ProviderSet()
const NO_ENTRIES: ReadonlyMap<string, ReadonlySet<string>> = new Map()

/** An empty {@link OfferIndex}. */
export function createOfferIndex(): OfferIndex {
  const services = new Map<string, Map<string, ProviderSet>>()

  return {
    add(peerId, record) {
      for (const service of record.service) {
        if (service.status !== 'connected') continue
        const entries = services.get(service.name) ?? new Map<string, ProviderSet>()
        services.set(service.name, entries)
        for (const entry of service.identity_group) {
          const peers = entries.get(entry) ?? new ProviderSet()
          entries.set(entry, peers.add(peerId))
        }
      }
    },
    remove(peerId, record) {
      for (const service of record.service) {
        const entries = services.get(service.name)
        for (const entry of service.identity_group) {
          const peers = entries?.get(entry)
          peers?.delete(peerId)
          if (peers?.size === 0) entries?.delete(entry)
        }
        if (entries?.size === 0) services.delete(service.name)
      }
    },
    providers: (service, entry) => services.get(service)?.get(entry) ?? NO_PEERS,
    entries: (service) => services.get(service) ?? NO_ENTRIES,
  }
}
