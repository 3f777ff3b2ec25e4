// For @libp2p/kad-dht 16.4.5: the refresh of its table has no option, and `provide` waits for a first peer without end.
// It also ends a lookup of providers at the first twenty, if one peer has made up all of them. Goes when it has an
// option, returns where there is no peer, and counts a few of each answer.

import { contentRoutingSymbol, type ContentRouting, type PeerInfo, type Provider } from '@libp2p/interface'
import {
  kadDHT,
  type KadDHT,
  type KadDHTComponents,
  type KadDHTInit,
  type QueryEvent,
  type SingleKadDHT,
} from '@libp2p/kad-dht'
import { peerIdFromString } from '@libp2p/peer-id'
import { override } from '../../reach/override.js'
import { handleInTurns } from './handle-in-turns.js'
import { ProviderStore } from './provider-store.js'
import { refreshFactor } from './refresh-interval.js'

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

/**
 * How long a provider record of another node is kept: nodes publish theirs every 12 h. With the library's two days most
 * records of home machines, which are on for some hours a day, would name somebody who is away.
 */
const RECORD_KEPT_MS = 13 * 60 * 60_000
/** The library publishes its own ones so long before that, unless the node did. */
const REPROVIDED_BEFORE_MS = 30 * 60_000

/** Providers that a lookup takes from one answer, and from all: what one peer has made up does not end it. */
const OF_ONE_ANSWER = 8
const OF_ALL_ANSWERS = 160

/** What the library has no option for. */
interface Internals {
  routingTableRefresh: { refreshInterval: number }
  querySelf: { interval: number }
  contentRouting: { routingTable: { kBucketSize: number } }
  rpc: Parameters<typeof handleInTurns>[0]
}

/**
 * A Kademlia DHT that costs an idle node next to nothing, does not keep waiting for peers to publish to, and keeps what
 * others publish within bounds.
 */
export function quietDht(init: KadDHTInit): (components: KadDHTComponents) => KadDHT {
  return (components) => {
    const make = kadDHT({
      ...init,
      disjointPaths: DISJOINT_PATHS,
      querySelfInterval: QUERY_SELF_EVERY_MS,
      reprovide: { ...init.reprovide, validity: RECORD_KEPT_MS, threshold: REPROVIDED_BEFORE_MS },
    })
    const dht = make(override(components, { datastore: boundedRecords(components) }))
    const internals = dht as unknown as Internals
    const factor = (): number => refreshFactor((dht as SingleKadDHT).routingTable.size)
    Object.defineProperty(internals.routingTableRefresh, 'refreshInterval', { get: () => REFRESH_EVERY_MS * factor() })
    Object.defineProperty(internals.querySelf, 'interval', { get: () => QUERY_SELF_EVERY_MS * factor() })
    handleInTurns(internals.rpc)
    // A lookup of providers ends at so many; nothing else reads it there.
    internals.contentRouting.routingTable = override(internals.contentRouting.routingTable, { kBucketSize: Infinity })
    const routing = (dht as unknown as Record<symbol, ContentRouting>)[contentRoutingSymbol]
    if (routing === undefined) return dht
    const provide = routing.provide.bind(routing)
    routing.provide = async (key, options) => {
      // Without a peer it would wait for one until it is ended, and whoever publishes to several DHTs with it.
      if ((dht as SingleKadDHT).routingTable.size > 0) await provide(key, options)
    }
    routing.findProviders = (key, options) => providersInTurn((dht as SingleKadDHT).findProviders(key, options))
    return dht
  }
}

/**
 * One provider of each answer as it comes, the others once the lookup is over, in turn: however many an answer has made
 * up, and however early it came, the next one is heard.
 */
async function* providersInTurn(events: AsyncIterable<QueryEvent>): AsyncGenerator<Provider> {
  const named = new Set<string>()
  const answers: PeerInfo[][] = []
  function next(answer: PeerInfo[]): Provider | undefined {
    for (let peer = answer.shift(); peer !== undefined; peer = answer.shift()) {
      const id = peer.id.toString()
      if (named.has(id)) continue
      named.add(id)
      return { ...peer, routing: 'kad-dht' }
    }
    return undefined
  }
  for await (const event of events) {
    if (event.name !== 'PEER_RESPONSE') continue
    const answer = event.providers.slice(0, OF_ONE_ANSWER)
    const provider = next(answer)
    if (provider !== undefined) yield provider
    if (answer.length > 0) answers.push(answer)
    if (named.size >= OF_ALL_ANSWERS) return
  }
  for (let round = 1; round < OF_ONE_ANSWER; round += 1) {
    for (const answer of answers) {
      const provider = next(answer)
      if (provider !== undefined) yield provider
      if (named.size >= OF_ALL_ANSWERS) return
    }
  }
}

function boundedRecords({
  datastore,
  peerId,
  peerStore,
  connectionManager,
}: KadDHTComponents): KadDHTComponents['datastore'] {
  const store = new ProviderStore(
    {
      addressOf: (id) => connectionManager.getConnections(peerIdFromString(id))[0]?.remoteAddr.toString(),
      isKnown: (id) => peerStore.has(peerIdFromString(id)),
    },
    peerId.toString(),
  )
  return store.over(datastore)
}
