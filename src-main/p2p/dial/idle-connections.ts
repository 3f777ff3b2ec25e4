import type { Connection, Libp2p } from '@libp2p/interface'
import { monotonicClock, type MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import { HTTP_PROTOCOL } from '../http/stream-duplex.js'

/**
 * Connections with which a node leaves them all open: twice what it looks for. A lookup in a large network opens some
 * forty, each of which would cost both ends a few bytes a second until one of them goes.
 */
const KEPT_CONNECTIONS = 40
/** A connection is idle once it is so old, and nothing but gossip has a stream on it. */
const IDLE_AFTER_MS = 2 * 60_000
const LOOKS_EVERY_MS = 60_000
/** Peers with such a tag are in use, were set by the owner, are a relay of this node or near it in the DHT. */
const KEPT_TAG = 'keep-alive'
const GOSSIP = /^\/meshsub\//

/** Closes the connections that this node opened for a lookup, where it has many. */
export interface IdleConnections {
  stop(): void
}

/** What {@link closeIdleConnections} works with. */
export interface IdleConnectionsNeeds {
  libp2p: Pick<Libp2p, 'getConnections' | 'peerStore'>
  /** Whether gossip goes over the connections with a peer. */
  isInMesh: (peerId: string) => boolean
  log: Log
  clock?: MonotonicClock
}

/** Looks once a minute until it is stopped. Connections that others opened are theirs to close. */
export function closeIdleConnections(needs: IdleConnectionsNeeds): IdleConnections & { look: () => Promise<void> } {
  const { libp2p, isInMesh, log, clock = monotonicClock } = needs
  /** When a connection was first seen without use. */
  const idleSinceMs = new WeakMap<Connection, number>()

  function isIdle(connection: Connection, now: number): boolean {
    const isUsed = connection.streams.some(({ protocol }) => protocol === HTTP_PROTOCOL || !GOSSIP.test(protocol))
    if (isUsed || isInMesh(connection.remotePeer.toString())) {
      idleSinceMs.delete(connection)
      return false
    }
    const sinceMs = idleSinceMs.get(connection) ?? now
    idleSinceMs.set(connection, sinceMs)
    return now - sinceMs >= IDLE_AFTER_MS
  }

  async function isKept({ remotePeer }: Connection): Promise<boolean> {
    if (!(await libp2p.peerStore.has(remotePeer))) return false
    const { tags } = await libp2p.peerStore.get(remotePeer)
    return [...tags.keys()].some((tag) => tag.startsWith(KEPT_TAG))
  }

  /** Closes what has been idle the longest, until there are few enough. */
  async function look(): Promise<void> {
    const now = clock.elapsedMs()
    const open = libp2p.getConnections().filter(({ status }) => status === 'open')
    const idle = open.filter((connection) => connection.direction === 'outbound' && isIdle(connection, now))
    let tooMany = open.length - KEPT_CONNECTIONS
    for (const connection of idle.toSorted((a, b) => (idleSinceMs.get(a) ?? 0) - (idleSinceMs.get(b) ?? 0))) {
      if (tooMany <= 0) return
      if (await isKept(connection)) continue
      tooMany -= 1
      await connection.close().catch((error: unknown) => {
        log.debug('an idle connection broke off as it was closed', { error })
      })
    }
  }

  const timer = setInterval(() => {
    look().catch((error: unknown) => log.error('closing idle connections failed', { error }))
  }, LOOKS_EVERY_MS).unref()

  return { look, stop: () => clearInterval(timer) }
}
