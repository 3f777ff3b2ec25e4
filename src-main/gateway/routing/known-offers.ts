import { BoundedMap } from '../../base/bounded-map.js'
import type { Service } from '../../base/lifecycle.js'
import type { NodeTable, OfferedService, Row } from '../../node-table/index.js'

/**
 * Remembers what was offered and may come back, so that "nobody offers it now" and "nobody offers it" are different
 * answers. What a server takes out of its list while it is there does not come back soon.
 */
export interface KnownOffers extends Service {
  service(name: string): boolean
  offer(service: string, entry: string): boolean
}

/** Offers remembered; the longest unseen one is forgotten first. */
const MAX_OFFERS = 8_192

/** Servers whose last list is remembered. */
const MAX_SERVERS = 4_096

/** Offers seen in the node table, or told by trusted peers, since this node started. */
export function createKnownOffers(needs: { table: NodeTable }): KnownOffers {
  const offers = new Set<string>()
  const services = new Set<string>()
  /** What each server of a row offered when it was last in one. */
  const lists = new BoundedMap<string, readonly string[]>(MAX_SERVERS)
  const subscriptions: (() => void)[] = []

  function remember(set: Set<string>, key: string): void {
    set.delete(key)
    set.add(key)
    if (set.size > MAX_OFFERS) for (const oldest of set) return void set.delete(oldest)
  }

  function note(told: readonly OfferedService[]): void {
    for (const service of told) {
      remember(services, service.name)
      for (const entry of service.identity_group) remember(offers, `${service.name}\0${entry}`)
    }
  }

  /** A row tells its servers apart: one that is in it with fewer models has lost them, one that is not is away. */
  function noteRow({ peerId, record }: Row): void {
    for (const { name, host, port, identity_group: entries } of record.service) {
      const server = [peerId, name, host, port].join('\0')
      const now = new Set(entries)
      for (const entry of lists.get(server) ?? []) {
        if (!now.has(entry) && !isOfferedByOthers(name, entry, peerId)) offers.delete(`${name}\0${entry}`)
      }
      lists.set(server, entries)
    }
    note(record.service)
  }

  function isOfferedByOthers(service: string, entry: string, peerId: string): boolean {
    const { table } = needs
    for (const provider of table.providers(service, entry)) if (provider !== peerId) return true
    return table.offers.providers(service, entry).size > 0
  }

  return {
    name: 'known-offers',
    start() {
      const { table } = needs
      for (const row of table.rows()) noteRow(row)
      subscriptions.push(
        table.subscribe((event) => {
          if (event.type !== 'row:removed') noteRow(event.row)
        }),
        table.offers.subscribe((peerId) => note(table.offers.of(peerId))),
      )
      return Promise.resolve()
    },
    stop() {
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe()
      return Promise.resolve()
    },
    service: (name) => services.has(name),
    offer: (service, entry) => offers.has(`${service}\0${entry}`),
  }
}
