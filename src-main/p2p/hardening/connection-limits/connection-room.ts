// For libp2p 3.3.11: its connection manager refuses newcomers whatever is held, and closes no connection with a stream
// of gossip. Goes when it evicts from the source with most connections.

import type { Connection, Libp2p } from '@libp2p/interface'
import { atMostEvery, type Log } from '../../../logging/index.js'
import { sourceOf } from '../../dial/ip-scope.js'
import { HTTP_PROTOCOL } from '../../http/stream-duplex.js'

/** Keeps the connections within their number, and lets nobody have all of them. */
export interface ConnectionRoom {
  /** Whether one more connection of a source would be kept. */
  mayEnter(source: string): boolean
  /** Follows libp2p's connections; to be called before it starts. */
  watch(libp2p: Libp2p): void
}

export interface ConnectionRoomOptions {
  /** Connections of all peers. */
  max: number
  /** Connections one peer may have opened to this node: one a transport, some of a network it has left, a relayed one. */
  maxPerPeer: number
}

/**
 * Connections of a node, each some 50 KB of heap, and those one peer may have opened: one a transport, a relayed one,
 * and those of a network it has just left.
 */
export const CONNECTION_ROOM: ConnectionRoomOptions = { max: 2_000, maxPerPeer: 8 }

/** A node that many use may be full for weeks. */
const WARN_EVERY_MS = 10 * 60_000

/** Peers with such a tag are in use, were set by the owner, or give this node a reservation at their relay. */
const KEPT_TAG = 'keep-alive'

/**
 * Above `max`, one that came in from the source with most connections is closed: there, one no request runs on, and the
 * newest. Outbound ones and those of peers that are kept alive stay.
 */
export function createConnectionRoom(needs: { log: Log }, options: ConnectionRoomOptions): ConnectionRoom {
  const { log } = needs
  const open = new Set<Connection>()
  /** Those that came in, by where from. */
  const inbound = new Map<string, Set<Connection>>()
  const leaving = new Set<Connection>()
  let making: Promise<void> | undefined
  const warnFull = atMostEvery(WARN_EVERY_MS, () =>
    log.warn('there are as many connections with other nodes as there may be: some are closed for new ones', {
      max: options.max,
    }),
  )

  const isOver = (): boolean => open.size - leaving.size > options.max
  const largest = (): number => Math.max(0, ...[...inbound.values()].map(({ size }) => size))

  function close(connection: Connection, why: string): void {
    leaving.add(connection)
    log.debug('a connection was closed', { peerId: connection.remotePeer.toString(), why })
    connection.abort(new Error(why))
  }

  /** Whom to close, best first: one size of sources after the other, so that who has least is asked last. */
  function* candidates(): Generator<Connection> {
    const bySize = Map.groupBy(inbound.values(), ({ size }) => size)
    for (const size of [...bySize.keys()].sort((a, b) => b - a)) {
      const connections = (bySize.get(size) ?? []).flatMap((source) => [...source])
      yield* connections.filter((connection) => !leaving.has(connection)).sort(byWorth)
    }
  }

  async function closeOne(libp2p: Libp2p): Promise<boolean> {
    for (const connection of candidates()) {
      if (await isKept(libp2p, connection)) continue
      if (open.has(connection)) close(connection, 'it was evicted for a source with fewer connections')
      return true
    }
    return false
  }

  async function makeRoom(libp2p: Libp2p): Promise<void> {
    while (isOver() && (await closeOne(libp2p))) continue
  }

  /** What goes is idle and old: after a restart or a change of network nobody is behind those any more. */
  function keepWithin(libp2p: Libp2p, newcomer: Connection): void {
    const others = libp2p
      .getConnections(newcomer.remotePeer)
      .filter((other) => other !== newcomer && other.direction === 'inbound' && !leaving.has(other))
    if (others.length < options.maxPerPeer) return
    const dropped = others.find((other) => !isInUse(other)) ?? others[0]
    if (dropped !== undefined) close(dropped, 'its peer has opened too many')
  }

  return {
    mayEnter: (source) => open.size < options.max || (inbound.get(source)?.size ?? 0) + 1 < largest(),
    watch(libp2p) {
      libp2p.addEventListener('connection:open', ({ detail: connection }: CustomEvent<Connection>) => {
        if (connection.status !== 'open') return
        open.add(connection)
        if (connection.direction === 'inbound') {
          const source = sourceOf(connection.remoteAddr.toString())
          inbound.set(source, (inbound.get(source) ?? new Set()).add(connection))
          keepWithin(libp2p, connection)
        }
        if (!isOver()) return
        warnFull()
        making ??= makeRoom(libp2p)
          .catch((error: unknown) => log.error('making room for connections failed', { error }))
          .finally(() => (making = undefined))
      })
      libp2p.addEventListener('connection:close', ({ detail: connection }: CustomEvent<Connection>) => {
        open.delete(connection)
        leaving.delete(connection)
        const source = sourceOf(connection.remoteAddr.toString())
        const left = inbound.get(source)
        left?.delete(connection)
        if (left?.size === 0) inbound.delete(source)
      })
    },
  }
}

const isInUse = ({ streams }: Connection): boolean => streams.some(({ protocol }) => protocol === HTTP_PROTOCOL)

/** Idle before in use, new before old. */
function byWorth(a: Connection, b: Connection): number {
  return Number(isInUse(a)) - Number(isInUse(b)) || b.timeline.open - a.timeline.open
}

async function isKept({ peerStore }: Libp2p, { remotePeer }: Connection): Promise<boolean> {
  if (!(await peerStore.has(remotePeer))) return false
  const { tags } = await peerStore.get(remotePeer)
  return [...tags.keys()].some((tag) => tag.startsWith(KEPT_TAG))
}
