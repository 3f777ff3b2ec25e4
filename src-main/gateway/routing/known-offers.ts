import type { Service } from '../../base/lifecycle.js'
import type { NodeTable, Row } from '../../node-table/index.js'

/** Remembers what was ever offered, so that "nobody offers it now" and "nobody ever did" are different answers. */
export interface KnownOffers extends Service {
  service(name: string): boolean
  offer(service: string, entry: string): boolean
}

/** Offers remembered; the longest unseen one is forgotten first. */
const MAX_OFFERS = 8_192

/** Offers seen in the node table since this node started. */
export function createKnownOffers(needs: { table: NodeTable }): KnownOffers {
  const offers = new Set<string>()
  const services = new Set<string>()
  let unsubscribe: (() => void) | undefined

  function remember(set: Set<string>, key: string): void {
    set.delete(key)
    set.add(key)
    if (set.size > MAX_OFFERS) for (const oldest of set) return void set.delete(oldest)
  }

  function note({ record }: Row): void {
    for (const service of record.service) {
      remember(services, service.name)
      for (const entry of service.identity_group) remember(offers, `${service.name}\0${entry}`)
    }
  }

  return {
    name: 'known-offers',
    start() {
      for (const row of needs.table.rows()) note(row)
      unsubscribe = needs.table.subscribe((event) => {
        if (event.type !== 'row:removed') note(event.row)
      })
      return Promise.resolve()
    },
    stop() {
      unsubscribe?.()
      return Promise.resolve()
    },
    service: (name) => services.has(name),
    offer: (service, entry) => offers.has(`${service}\0${entry}`),
  }
}
