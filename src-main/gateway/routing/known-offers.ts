import type { Service } from '../../base/lifecycle.js'
import type { NodeTable, OfferedService } from '../../node-table/index.js'

/** Remembers what was ever offered, so that "nobody offers it now" and "nobody ever did" are different answers. */
export interface KnownOffers extends Service {
  service(name: string): boolean
  offer(service: string, entry: string): boolean
}

/** Offers remembered; the longest unseen one is forgotten first. */
const MAX_OFFERS = 8_192

/** Offers seen in the node table, or told by trusted peers, since this node started. */
export function createKnownOffers(needs: { table: NodeTable }): KnownOffers {
  const offers = new Set<string>()
  const services = new Set<string>()
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

  return {
    name: 'known-offers',
    start() {
      const { table } = needs
      for (const row of table.rows()) note(row.record.service)
      subscriptions.push(
        table.subscribe((event) => {
          if (event.type !== 'row:removed') note(event.row.record.service)
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
