import { isIPv6 } from 'node:net'
import type { AutoNATComponents } from '@libp2p/autonat'
import type { DCUtRServiceComponents } from '@libp2p/dcutr'
import type { Connection, IdentifyResult } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { Log } from '../../logging/index.js'
import { hostOf, relayOf, scopeOf } from '../dial/ip-scope.js'
import { freePort } from '../host/listen-addresses.js'

/** The TCP port that holes are punched from: a router keeps its mapping for whoever the port talks to. */
export interface PunchPort {
  /** Asks the relay of that connection where it sees the port; takes at most 3 s, and nothing while that is known. */
  prepare(relayed: Connection): Promise<void>
  /** Where the port is seen from outside, with `/p2p/…`; undefined while nobody told. */
  address(): Multiaddr | undefined
  /**
   * Dials from the port while the peer does the same: two TCP connections that meet become one. Rejects with the
   * errors of all targets, at the latest when `signal` aborts.
   */
  dial(targets: readonly Multiaddr[], options: PunchDialOptions): Promise<Connection>
  stop(): void
}

/** How one end of a punch dials. */
interface PunchDialOptions {
  signal: AbortSignal
  /** False at the end that takes the part of the one who is dialled. */
  initiator: boolean
}

export type PunchPortNeeds = Pick<DCUtRServiceComponents, 'connectionManager' | 'peerStore' | 'transportManager'> &
  Pick<AutoNATComponents, 'events' | 'peerId'>

interface Port {
  localPort: number
  address: Multiaddr
  /** Keeps the router's mapping alive. */
  probe: Connection
}

const PROBE_MS = 3_000
/** All tries of one punch fit into this; after it another port is used. */
const KEPT_MS = 30_000
/** A peer may name addresses that are not its own: few are dialled. */
const MAX_TARGETS = 4

/** One port at a time, found when a relayed connection opens and given up after half a minute. */
export function createPunchPort(needs: PunchPortNeeds, log: Log): PunchPort {
  const { connectionManager, peerStore, transportManager, events } = needs
  let port: Port | undefined
  let preparing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  async function probe(relayed: Connection): Promise<void> {
    const relay = await relayAddress(relayed)
    if (relay === undefined) return
    const localPort = await freePort('tcp', isIPv6(hostOf(relay.toString())) ? '::' : '0.0.0.0')
    const signal = AbortSignal.timeout(PROBE_MS)
    const connection = await dialFrom(localPort, relay, { signal, initiator: true })
    const observed = await observedOver(connection, signal)
    if (observed === undefined || scopeOf(hostOf(observed)) !== 'public') {
      await connection.close({ signal })
      return
    }
    port = { localPort, address: multiaddr(`${observed}/p2p/${needs.peerId.toString()}`), probe: connection }
    log.debug('a port to punch holes from is known', { localPort, address: observed })
    timer = setTimeout(letGo, KEPT_MS).unref()
  }

  /** The transport hands its signal to the socket for life; this one can no longer abort once the dial is done. */
  async function dialFrom(localPort: number, target: Multiaddr, options: PunchDialOptions): Promise<Connection> {
    const { signal } = options
    const dialling = new AbortController()
    const abort = (): void => dialling.abort(signal.reason)
    signal.throwIfAborted()
    signal.addEventListener('abort', abort, { once: true })
    try {
      const forTransport = { localPort, initiator: options.initiator, signal: dialling.signal }
      return await transportManager.dial(target, forTransport)
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** The public TCP address of the relay a connection runs through. */
  async function relayAddress({ remoteAddr }: Connection): Promise<Multiaddr | undefined> {
    const relayId = relayOf(remoteAddr.toString())
    const open = connectionManager.getConnections().filter(({ remotePeer }) => remotePeer.toString() === relayId)
    const [direct] = open.filter((connection) => relayOf(connection.remoteAddr.toString()) === undefined)
    if (direct === undefined) return undefined
    const { addresses } = await peerStore.get(direct.remotePeer)
    const texts = [direct.remoteAddr, ...addresses.map(({ multiaddr: address }) => address)].map(String)
    const text = texts.map(withoutPeer).find(isPublicTcp)
    return text === undefined ? undefined : multiaddr(`${text}/p2p/${direct.remotePeer.toString()}`)
  }

  function observedOver(connection: Connection, signal: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve) => {
      const onIdentify = (event: CustomEvent<IdentifyResult>): void => {
        if (event.detail.connection.id === connection.id) done(event.detail.observedAddr?.toString())
      }
      const onAbort = (): void => done(undefined)
      const done = (observed: string | undefined): void => {
        events.removeEventListener('peer:identify', onIdentify)
        signal.removeEventListener('abort', onAbort)
        resolve(observed === undefined ? undefined : withoutPeer(observed))
      }
      events.addEventListener('peer:identify', onIdentify)
      signal.addEventListener('abort', onAbort)
    })
  }

  function letGo(): void {
    clearTimeout(timer)
    const { probe: connection } = port ?? {}
    port = undefined
    connection?.close({ signal: AbortSignal.timeout(1_000) }).catch((error: unknown) => {
      log.debug('the connection that held a port to punch from was cut off', { error })
      connection.abort(new Error('no longer needed'))
    })
  }

  return {
    async prepare(relayed) {
      if (port !== undefined) return
      preparing ??= probe(relayed)
        .catch((error: unknown) => log.debug('no port to punch holes from was found', { error }))
        .finally(() => (preparing = undefined))
      await preparing
    },
    address: () => port?.address,
    async dial(targets, options) {
      if (port === undefined) throw new Error('there is no port to punch holes from')
      const { localPort, address } = port
      const isSix = isIPv6(hostOf(address.toString()))
      const able = targets.filter((target) => {
        const text = withoutPeer(target.toString())
        return isPublicTcp(text) && isIPv6(hostOf(text)) === isSix
      })
      return await Promise.any(able.slice(0, MAX_TARGETS).map((target) => dialFrom(localPort, target, options)))
    },
    stop: letGo,
  }
}

const withoutPeer = (text: string): string => text.replace(/\/p2p\/[^/]+$/, '')

/** True for `/ip4/<public>/tcp/<port>` and its like of IPv6; not for WebSocket. */
function isPublicTcp(text: string): boolean {
  return /^\/ip[46]\/[^/]+\/tcp\/\d+$/.test(text) && scopeOf(hostOf(text)) === 'public'
}
