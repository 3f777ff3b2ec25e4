import type { Standing } from '#shared/contract/network/peers.js'
import type { PeerRecord } from '#shared/records.js'
import { BOOTSTRAPS_PATH } from '#shared/routes.js'
import { type PeerConnection, peerPath, remoteIps, roundTripMs } from '../../p2p/index.js'
import type { PageState } from '../listener/pages.js'
import type { GatewayNeeds } from '../needs.js'
import { bootstrapAddresses, callerAddresses } from './bootstrap-addresses.js'
import type { AnsweringRoute, Route } from './route.js'

/** 0 is "not known" in the Go implementation's shape, so that a shorter trip counts as 1. */
const wholeMs = (ms: number | undefined): number => (ms === undefined ? 0 : Math.max(1, Math.round(ms)))

/** The Go implementation has the first two. */
function peerStatus(id: string, open: readonly PeerConnection[], standing: Standing) {
  const { paths, relays, rttMs } = peerPath(open)
  const connectedness = open.length > 0 ? 'Connected' : 'NotConnected'
  return { id, connectedness, path: paths[0] ?? null, relays, rtt_ms: rttMs ?? null, standing }
}

/** The node table and the connections, as the Go implementation shows them. */
export function dntRoutes(needs: GatewayNeeds): Route[] {
  const { host, ownTable, reachable } = needs

  /** A row as this node sees it now: connection, round trip and standing are this node's own. */
  function seen(record: PeerRecord): PeerRecord & { standing: Standing } {
    const own = record.id === host.peerId
    const connected = own || host.isConnected(record.id)
    return {
      ...record,
      connected,
      latency: own ? 0 : wholeMs(roundTripMs(host, record.id)),
      standing: reachable.standing(record.id),
    }
  }

  const allRecords = (): ReturnType<typeof seen>[] => [...ownTable.rows()].map(({ record }) => seen(record))

  const connectedPeers = (): { ID: string; Addrs: string[] }[] => {
    const peers = new Map<string, Set<string>>()
    for (const { peerId, multiaddr } of host.connections()) {
      const known = peers.get(peerId) ?? new Set<string>()
      peers.set(peerId, known.add(multiaddr))
    }
    return [...peers].map(([ID, addrs]) => ({ ID, Addrs: [...addrs] }))
  }

  const route = (
    path: string,
    summary: string,
    listeners: Route['listeners'],
    body: AnsweringRoute['handle'],
  ): Route => ({
    methods: ['GET', 'HEAD'],
    path,
    listeners,
    pages: 'never',
    // Nodes ask it before they know anybody.
    ...(path === BOOTSTRAPS_PATH ? { keyless: true } : {}),
    summary,
    handle: body,
  })

  return [
    route('/v1/dnt/table', 'Rows of connected peers; ?all=1 for every known one.', ['local', 'peer'], (ctx) => {
      const all = ctx.query['all'] === '1'
      const rows = allRecords().filter((record) => all || record.connected)
      ctx.body = Object.fromEntries(rows.map((record) => [`/${record.id}`, record]))
    }),
    route('/v1/dnt/peers', 'Peers connected now.', ['local', 'peer'], (ctx) => {
      ctx.body = { peers: connectedPeers() }
    }),
    route('/v1/dnt/peers_status', 'Known peers, whether they are connected and how.', ['local', 'peer'], (ctx) => {
      const open = Map.groupBy(host.connections(), ({ peerId }) => peerId)
      const ids = new Set([...allRecords().map(({ id }) => id), ...open.keys()])
      ids.delete(host.peerId)
      ctx.body = { peers: [...ids].map((id) => peerStatus(id, open.get(id) ?? [], reachable.standing(id))) }
    }),
    {
      ...route(BOOTSTRAPS_PATH, 'Addresses usable as another node’s bootstrap.addr.', ['local', 'peer'], (ctx) => {
        const { listener, hostName } = (ctx.state as PageState).arrival
        // At the peer listener it is the caller's peer id.
        const { remoteAddress = '' } = ctx.req.socket
        const callers =
          listener === 'local'
            ? callerAddresses(remoteAddress, ctx.req.headers, hostName)
            : remoteIps(host, remoteAddress)
        ctx.body = { bootstraps: bootstrapAddresses(host.multiaddrs(), callers) }
      }),
      // A reverse proxy passes its own name on, and nothing here is secret.
      alsoUnder: 'any',
    },
    route('/v1/dnt/stats', 'Counts and details of peers.', ['local'], (ctx) => {
      const records = allRecords()
      const connected = connectedPeers()
      ctx.body = {
        connected_peers: connected.length,
        total_peers_known: records.length,
        connected_peer_details: connected,
        all_peer_details: records,
        message: `${connected.length} of ${Math.max(records.length - 1, connected.length)} known peers are connected.`,
      }
    }),
  ]
}
