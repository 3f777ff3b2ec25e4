import { OWN_SERVICE_PREFIX } from '#shared/routes.js'
import { assertPeerId } from '../../p2p/index.js'
import { hasBody } from '../body/request-body.js'
import { runExchange } from '../forward/exchange.js'
import { Arrival } from '../listener/arrival.js'
import type { GatewayNeeds } from '../needs.js'
import {
  createMatcher,
  FORWARDED_METHODS,
  parseServiceName,
  type PathParams,
  type Route,
  type RouteMatch,
  splitTarget,
} from './route.js'

const PATH = '/v1/p2p/:peerId/*'
/** The Go implementation's short form for a service of that peer. */
const SERVICE_PATH = '/v1/p2p-service/:peerId/:service/*'

/** Raw path at the peer that a request to one of the two routes means. */
function pathAtPeer(route: string, params: PathParams): string {
  const rest = params['rest'] || '/'
  return route === PATH ? rest : `${OWN_SERVICE_PREFIX}${parseServiceName(params['service'] ?? '')}${rest}`
}

export function peerRoutes(needs: GatewayNeeds): Route[] {
  const toPeer = (route: string, summary: string): Route => ({
    methods: FORWARDED_METHODS,
    path: route,
    listeners: ['local'],
    pages: 'never',
    summary,
    forward(arrival, params) {
      const peerId = params['peerId'] ?? ''
      assertPeerId(peerId)
      const path = `${pathAtPeer(route, params)}${splitTarget(arrival.url).query}`
      return runExchange(needs, arrival, { service: 'p2p', route }, async (exchange) => {
        const { request } = arrival
        exchange.body = hasBody(request) ? { kind: 'stream', stream: request } : { kind: 'none' }
        await needs.forwarder.toPeer(exchange, peerId, path)
      })
    },
  })

  return [
    toPeer(PATH, 'Forwards to the gateway of that peer.'),
    toPeer(SERVICE_PATH, 'Forwards to a service of that peer, as the Go implementation writes it.'),
  ]
}

/** A request as it is served here, and the route that serves it. */
export interface OwnRequest {
  arrival: Arrival
  found: RouteMatch
}

/**
 * Finds what a request to `/v1/p2p/<this node>/…` means: a node cannot dial itself. What a peer finds at this node is
 * there, and nothing else. Lists are those a peer gets; services answer as they do to this machine's own programs.
 * Undefined for every other request. The caller has checked the request under the path it came with.
 */
export function createOwnPeer(
  peerId: string,
  routes: readonly Route[],
): (arrival: Arrival, found: RouteMatch) => OwnRequest | undefined {
  const match = createMatcher(routes, 'peer')
  return (arrival, found) => {
    if (found.kind !== 'found' || found.params['peerId'] !== peerId || arrival.method === 'OPTIONS') return undefined
    const { path: route } = found.route
    if (route !== PATH && route !== SERVICE_PATH) return undefined
    const { request, response } = arrival
    const path = pathAtPeer(route, found.params)
    const atPeer = match(arrival.method, path)
    request.url = `${path}${splitTarget(arrival.url).query}`
    const isForwarded = atPeer.kind === 'found' && atPeer.route.forward !== undefined
    return { arrival: isForwarded ? arrival : new Arrival('peer', request, response), found: atPeer }
  }
}
