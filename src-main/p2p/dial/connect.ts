import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { LivenessWatch } from '../hardening/liveness/liveness-watch.js'
import { RELAY_HOP } from '../reach/relay/relay-reservations.js'
import { bestConnection } from './dial-order.js'
import { hostOf, relayOf, scopeOf } from './ip-scope.js'

/** Peers in use are dialled again when they are lost; the tag wears off when nobody uses them any more. */
const KEEP_ALIVE_TAG = 'keep-alive-ocf-in-use'
const KEEP_ALIVE_MS = 10 * 60_000
const TAG_EVERY_MS = 60_000
const MAX_TAGGED = 2_000
/** Connected relays tried for a peer that cannot be reached in any other way. */
const MAX_RELAYS = 4
/** The network is asked that long where a peer is; a request waits 5 s for its connection in all. */
const LOOK_UP_MS = 2_500

/** Opens the best connection there is to a peer. */
export interface Connector {
  /**
   * A direct connection where there is one, else a relayed one, else whatever dialling gives; keeps the peer connected
   * while it is in use. Rejects with libp2p's error when the peer cannot be reached before `signal` aborts.
   */
  connect(peerId: string, signal: AbortSignal): Promise<Connection>
}

/** Over a libp2p that may be another one after a restart. */
export function createConnector(needs: {
  libp2p: () => Libp2p
  liveness?: () => LivenessWatch | undefined
}): Connector {
  const taggedAtMs = new Map<string, number>()

  async function keepAlive(connection: Connection): Promise<void> {
    const key = connection.remotePeer.toString()
    const now = performance.now()
    if (now - (taggedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < TAG_EVERY_MS) return
    taggedAtMs.delete(key)
    taggedAtMs.set(key, now)
    const [oldest] = taggedAtMs.keys()
    if (taggedAtMs.size > MAX_TAGGED && oldest !== undefined) taggedAtMs.delete(oldest)
    await needs.libp2p().peerStore.merge(connection.remotePeer, {
      tags: { [KEEP_ALIVE_TAG]: { value: 50, ttl: KEEP_ALIVE_MS } },
    })
  }

  return {
    async connect(peerId, signal) {
      const libp2p = needs.libp2p()
      const id = peerIdFromString(peerId)
      const known = bestConnection(libp2p.getConnections(id), needs.liveness?.())
      const connection = known ?? (await dial(libp2p, peerId, signal))
      await keepAlive(connection)
      return connection
    },
  }
}

/**
 * Dials all that is known at once, in the order of `dial-order.ts`: the peer's addresses, and a circuit over each relay
 * this node is connected to, where the peer may have a reservation that is not known here yet. The network is asked for further
 * addresses when these fail, and beside them where all are private ones: those may be of another home.
 */
async function dial(libp2p: Libp2p, peerId: string, signal: AbortSignal): Promise<Connection> {
  const id = peerIdFromString(peerId)
  const stored = (await libp2p.peerStore.has(id)) ? (await libp2p.peerStore.get(id)).addresses : []
  const known = stored.map(({ multiaddr: address }) => address.toString())
  const circuits = (await connectedRelays(libp2p, peerId))
    .filter((relay) => !known.some((address) => relayOf(address) === relay))
    .map((relay) => `/p2p/${relay}/p2p-circuit`)
  const addresses = [...known, ...circuits].map((address) => toPeer(address, peerId))
  /** Undefined, and nothing dialled, where the network knows no other address. */
  const further = async (until: AbortSignal): Promise<Connection | undefined> => {
    const found = await lookUp(libp2p, id, known, until)
    return found.length === 0 ? undefined : await dialOrMeet(libp2p, id, found, until)
  }
  // Without any address, what dialling says of the peer is the reason.
  if (addresses.length === 0) return (await further(signal)) ?? (await dialOrMeet(libp2p, id, id, signal))
  const first = dialOrMeet(libp2p, id, addresses, signal)
  if (!known.some(isFarReaching)) return await firstOf(first, further, signal)
  try {
    return await first
  } catch (error) {
    const later = signal.aborted ? undefined : await further(signal)
    if (later === undefined) throw error
    return later
  }
}

/**
 * Dials, and takes the connection there is where that fails: when both ends dial at once over one relay, the library
 * closes the second connection under everybody who waited for it but the first.
 */
async function dialOrMeet(
  libp2p: Libp2p,
  id: PeerId,
  target: PeerId | Multiaddr[],
  signal: AbortSignal,
): Promise<Connection> {
  try {
    return await libp2p.dial(target, { signal })
  } catch (error) {
    const met = bestConnection(libp2p.getConnections(id))
    if (met === undefined) throw error
    return met
  }
}

/** Works from anywhere: public, or over a relay. */
const isFarReaching = (address: string): boolean =>
  relayOf(address) !== undefined || scopeOf(hostOf(address)) === 'public'

const toPeer = (address: string, peerId: string): Multiaddr =>
  multiaddr(address.endsWith(`/p2p/${peerId}`) ? address : `${address}/p2p/${peerId}`)

/** What comes of whichever succeeds first; the first one's error where neither does. The second ends with the first. */
async function firstOf(
  first: Promise<Connection>,
  second: (until: AbortSignal) => Promise<Connection | undefined>,
  signal: AbortSignal,
): Promise<Connection> {
  const done = new AbortController()
  try {
    const other = second(AbortSignal.any([signal, done.signal])).then((connection) => connection ?? first)
    return await Promise.any([first, other])
  } catch {
    return await first
  } finally {
    done.abort()
  }
}

/**
 * Asks the network where the peer is, and tells what is not `known`; never rejects. libp2p's own look-up ends at its peer
 * store, which also has peers that were only heard of, or were somewhere else before: then it asks nobody.
 */
async function lookUp(libp2p: Libp2p, id: PeerId, known: readonly string[], signal: AbortSignal): Promise<Multiaddr[]> {
  try {
    const withinMs = AbortSignal.any([signal, AbortSignal.timeout(LOOK_UP_MS)])
    const { multiaddrs } = await libp2p.peerRouting.findPeer(id, { signal: withinMs, useCache: false })
    const peerId = id.toString()
    const old = new Set(known.map((address) => toPeer(address, peerId).toString()))
    return multiaddrs
      .map((address) => toPeer(address.toString(), peerId))
      .filter((address) => !old.has(String(address)))
  } catch {
    // Nobody knows, or there is nobody to ask.
    return []
  }
}

async function connectedRelays(libp2p: Libp2p, except: string): Promise<string[]> {
  const relays = await libp2p.peerStore.all({ filters: [(peer) => peer.protocols.includes(RELAY_HOP)], limit: 100 })
  return relays
    .map(({ id }) => id)
    .filter((id) => id.toString() !== except && bestConnection(libp2p.getConnections(id)) !== undefined)
    .map(String)
    .slice(0, MAX_RELAYS)
}
