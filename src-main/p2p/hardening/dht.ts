// For @libp2p/kad-dht 16.4.5: the refresh of its table has no option, and `provide` waits for a first peer without end.
// Goes when it has one, and returns where there is no peer.

import { contentRoutingSymbol, type ContentRouting } from '@libp2p/interface'
import { kadDHT, type KadDHT, type KadDHTComponents, type KadDHTInit, type SingleKadDHT } from '@libp2p/kad-dht'

/**
 * Parallel paths of a lookup. Each path goes on until it has asked the 20 peers closest to the key, so the library's 10
 * ask the whole of a small network: with 2, one peer that answers falsely still does not decide alone.
 */
const DISJOINT_PATHS = 2

/** How often a node looks for the peers closest to itself. The first look is one second after the start. */
const QUERY_SELF_EVERY_MS = 20 * 60_000

/**
 * How often the routing table is refreshed: one lookup for each distance it holds. The library's 5 minutes would be
 * about 500 B/s in a network of 25 (27 KB a lookup). Tables also fill by every connection and lookup, whoever asks.
 */
const REFRESH_EVERY_MS = 60 * 60_000

/** What the library has no option for. */
interface Internals {
  routingTableRefresh: { refreshInterval: number }
}

/** A Kademlia DHT that costs an idle node next to nothing, and does not keep waiting for peers to publish to. */
export function quietDht(init: KadDHTInit): (components: KadDHTComponents) => KadDHT {
  return (components) => {
    const dht = kadDHT({ ...init, disjointPaths: DISJOINT_PATHS, querySelfInterval: QUERY_SELF_EVERY_MS })(components)
    ;(dht as unknown as Internals).routingTableRefresh.refreshInterval = REFRESH_EVERY_MS
    const routing = (dht as unknown as Record<symbol, ContentRouting>)[contentRoutingSymbol]
    if (routing === undefined) return dht
    const provide = routing.provide.bind(routing)
    routing.provide = async (key, options) => {
      // Without a peer it would wait for one until it is ended, and whoever publishes to several DHTs with it.
      if ((dht as SingleKadDHT).routingTable.size > 0) await provide(key, options)
    }
    return dht
  }
}
