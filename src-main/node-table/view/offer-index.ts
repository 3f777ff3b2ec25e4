import type { PeerRecord } from '#shared/records.js'
import { ProviderSet, type ReadonlyProviderSet } from '../find/provider-set.js'

/** Who offers what: service → identity-group entry → peers. Only services that are `connected` count. */
export interface OfferIndex {
  add(peerId: string, record: PeerRecord): void
  /** `record` must be the one that was added. */
  remove(peerId: string, record: PeerRecord): void
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
