import type { PeerView } from '#shared/contract/network/peers.js'
import type { ReachablePeers } from '../../gateway/index.js'
import type { GoNetwork } from '../../go-network/index.js'
import type { NodeTable, Row } from '../../node-table/index.js'
import { type Host, type PeerConnection, peerPath } from '../../p2p/index.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'

/** The live connections of this node and when they change. */
export interface ConnectionsSource {
  readonly peerId: string
  multiaddrs(): string[]
  connections(): PeerConnection[]
  isConnected(peerId: string): boolean
  /** Calls `listener` when a connection opened or closed or this node's addresses changed; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

const CONNECTION_EVENTS = ['connection:open', 'connection:close', 'self:peer:update'] as const

/** The connections of a started host. */
export function createConnectionsSource(host: Host): ConnectionsSource {
  return {
    peerId: host.peerId,
    multiaddrs: () => host.multiaddrs(),
    connections: () => host.connections(),
    isConnected: (peerId) => host.isConnected(peerId),
    subscribe(listener) {
      const { libp2p } = host
      for (const event of CONNECTION_EVENTS) libp2p.addEventListener(event, listener)
      const stopMeasured = host.onMeasured?.(listener)
      return () => {
        stopMeasured?.()
        for (const event of CONNECTION_EVENTS) libp2p.removeEventListener(event, listener)
      }
    },
  }
}

/** What the peers topic reads. */
export interface PeersNeeds {
  connections: ConnectionsSource
  table: Pick<NodeTable, 'rows' | 'subscribe'>
  reachable: Pick<ReachablePeers, 'standing' | 'subscribe'>
  /** Who is a provider of the Go network; absent: nobody. */
  goNetwork?: Pick<GoNetwork, 'isProvider'>
}

/** `peers.list`. */
export function createPeersHandlers(needs: PeersNeeds): Pick<Handlers, 'peers.list'> {
  return { 'peers.list': () => listPeers(needs) }
}

/** The `peers` feed. */
export function createPeersFeed(needs: PeersNeeds): FeedSource<PeerView[]> {
  return {
    snapshot: () => listPeers(needs),
    subscribe(listener) {
      const sources = [needs.connections, needs.table, needs.reachable]
      const stops = sources.map((source) => source.subscribe(() => listener()))
      return () => stops.forEach((stop) => stop())
    },
  }
}

/** Connected peers and those of the node table, without this node, by peer id. */
function listPeers({ connections, table, reachable, goNetwork }: PeersNeeds): PeerView[] {
  const open = Map.groupBy(connections.connections(), (connection) => connection.peerId)
  const rows = new Map<string, Row>()
  for (const row of table.rows()) rows.set(row.peerId, row)
  const ids = new Set([...open.keys(), ...rows.keys()])
  ids.delete(connections.peerId)
  return [...ids].sort().map((peerId) => ({
    ...viewPeer(peerId, open.get(peerId) ?? [], rows.get(peerId)),
    standing: reachable.standing(peerId),
    ...(goNetwork?.isProvider(peerId) === true ? { unsigned: true as const } : {}),
  }))
}

function viewPeer(peerId: string, open: readonly PeerConnection[], row: Row | undefined): Omit<PeerView, 'standing'> {
  const oldest = open.reduce<PeerConnection | undefined>(
    (first, next) => (first === undefined || next.openedAtMs < first.openedAtMs ? next : first),
    undefined,
  )
  // Measured here or not known: what a row says of itself is its owner's word.
  const { paths, relays, rttMs } = peerPath(open)
  return {
    peerId,
    connected: open.length > 0,
    paths,
    multiaddrs: open.map((connection) => connection.multiaddr),
    direction: oldest?.direction ?? null,
    connectedAtMs: oldest?.openedAtMs ?? null,
    offers: row === undefined ? [] : offersOf(row),
    version: row?.record.version ?? '',
    ...(relays.length === 0 ? {} : { relays }),
    ...(rttMs === undefined ? {} : { rttMs }),
  }
}

function offersOf(row: Row): string[] {
  return row.record.service.flatMap((service) => service.identity_group.map((entry) => `${service.name}:${entry}`))
}
