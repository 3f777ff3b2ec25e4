import type { Connection, Libp2p, PeerUpdate } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { monotonicClock, type MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import { isRelayed } from '../dial/dial-order.js'
import { relayOf } from '../dial/ip-scope.js'

/** Replaces relayed connections by direct ones where that becomes possible, and never under a live stream. */
export interface DirectUpgrade {
  stop(): Promise<void>
}

const TICK_MS = 2_000
/** Waits before the tries to reach a relayed peer directly; the last one repeats. */
const TRY_AFTER_MS = [3_000, 30_000, 120_000, 600_000]
const DIAL_TIMEOUT_MS = 10_000
const MAX_PARALLEL_TRIES = 2
/** A relayed connection without a stream for this many ticks is no longer needed beside a direct one. */
const IDLE_TICKS = 2

interface RelayedPeer {
  tries: number
  nextTryAtMs: number
  trying: boolean
  /** Addresses came in during a try that did not know them. */
  hasNews: boolean
  idleTicks: number
}

/** Looks every two seconds, and only while a relayed connection is open. */
export function createDirectUpgrade(needs: { libp2p: Libp2p; log: Log; clock?: MonotonicClock }): DirectUpgrade {
  const { libp2p, log, clock = monotonicClock } = needs
  const peers = new Map<string, RelayedPeer>()
  const stopped = new AbortController()
  const tries = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined

  function tick(): void {
    const relayed = libp2p.getConnections().filter(isRelayed)
    const ids = new Set(relayed.map(({ remotePeer }) => remotePeer.toString()))
    for (const id of peers.keys()) if (!ids.has(id)) peers.delete(id)
    if (relayed.length === 0) {
      clearInterval(timer)
      timer = undefined
    }
    for (const connection of relayed) look(connection)
  }

  function look(connection: Connection): void {
    const id = connection.remotePeer.toString()
    const known = peers.get(id) ?? newlyRelayed(clock.elapsedMs())
    peers.set(id, known)
    const hasDirect = libp2p
      .getConnections(connection.remotePeer)
      .some((other) => other.status === 'open' && !isRelayed(other))
    if (hasDirect) {
      known.idleTicks = connection.streams.length === 0 ? known.idleTicks + 1 : 0
      if (known.idleTicks >= IDLE_TICKS) retire(connection)
      return
    }
    known.idleTicks = 0
    if (known.trying || known.nextTryAtMs > clock.elapsedMs() || tries.size >= MAX_PARALLEL_TRIES) return
    known.trying = true
    known.hasNews = false
    const attempt = tryDirect(connection).finally(() => {
      known.trying = false
      known.tries = known.hasNews ? 0 : known.tries + 1
      known.nextTryAtMs = clock.elapsedMs() + (known.hasNews ? 0 : wait(known.tries))
      tries.delete(attempt)
    })
    tries.add(attempt)
  }

  async function tryDirect(connection: Connection): Promise<void> {
    const peerId = connection.remotePeer.toString()
    try {
      const { addresses } = await libp2p.peerStore.get(connection.remotePeer)
      const direct = addresses
        .map(({ multiaddr: address }) => address.toString())
        .filter((address) => relayOf(address) === undefined)
        .map((address) => multiaddr(address.includes('/p2p/') ? address : `${address}/p2p/${peerId}`))
      if (direct.length === 0) return
      const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
      await libp2p.dial(direct, { signal })
      log.info('a relayed peer is now reached directly', { peerId })
    } catch (error) {
      if (!stopped.signal.aborted) log.debug('a relayed peer cannot be reached directly yet', { peerId, error })
    }
  }

  function retire(connection: Connection): void {
    connection.close({ signal: AbortSignal.timeout(1_000) }).catch((error: unknown) => {
      log.debug('a relayed connection was cut off', { peerId: connection.remotePeer.toString(), error })
      connection.abort(new Error('no longer needed'))
    })
  }

  const onOpen = (event: CustomEvent<Connection>): void => {
    if (!isRelayed(event.detail) || stopped.signal.aborted) return
    timer ??= setInterval(tick, TICK_MS).unref()
  }
  /** What a relayed peer tells anew may be the way to it. */
  const onPeerUpdate = (event: CustomEvent<PeerUpdate>): void => {
    const known = peers.get(event.detail.peer.id.toString())
    if (known === undefined || sameAddresses(event.detail)) return
    known.tries = 0
    known.nextTryAtMs = clock.elapsedMs()
    known.hasNews = true
  }
  libp2p.addEventListener('connection:open', onOpen)
  libp2p.addEventListener('peer:update', onPeerUpdate)

  return {
    async stop() {
      stopped.abort()
      clearInterval(timer)
      libp2p.removeEventListener('connection:open', onOpen)
      libp2p.removeEventListener('peer:update', onPeerUpdate)
      await Promise.all(tries)
    },
  }
}

const newlyRelayed = (nowMs: number): RelayedPeer => ({
  tries: 0,
  nextTryAtMs: nowMs + wait(0),
  trying: false,
  hasNews: false,
  idleTicks: 0,
})

const wait = (tries: number): number => TRY_AFTER_MS[Math.min(tries, TRY_AFTER_MS.length - 1)] ?? 0

function sameAddresses({ peer, previous }: PeerUpdate): boolean {
  const known = new Set(previous?.addresses.map(({ multiaddr: address }) => address.toString()))
  return peer.addresses.every(({ multiaddr: address }) => known.has(address.toString()))
}
