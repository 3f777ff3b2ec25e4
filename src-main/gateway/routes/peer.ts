import { assertPeerId } from '../../p2p/index.js'
import { hasBody } from '../body/request-body.js'
import { runExchange } from '../forward/exchange.js'
import { Arrival } from '../listener/arrival.js'
import type { GatewayNeeds } from '../needs.js'
import { createMatcher, FORWARDED_METHODS, type Route, type RouteMatch, splitTarget } from './route.js'

const PATH = '/v1/p2p/:peerId/*'

export function peerRoutes(needs: GatewayNeeds): Route[] {
  return [
    {
      methods: FORWARDED_METHODS,
      path: PATH,
      listeners: ['local'],
      pages: 'never',
      summary: 'Forwards to the gateway of that peer.',
      forward(arrival, params) {
        const peerId = params['peerId'] ?? ''
        assertPeerId(peerId)
        const { query } = splitTarget(arrival.url)
        const path = `${params['rest'] || '/'}${query}`
        return runExchange(needs, arrival, { service: 'p2p', route: PATH }, async (exchange) => {
          const { request } = arrival
          exchange.body = hasBody(request) ? { kind: 'stream', stream: request } : { kind: 'none' }
          await needs.forwarder.toPeer(exchange, peerId, path)
        })
      },
    },
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
    const isOwn = found.kind === 'found' && found.route.path === PATH && found.params['peerId'] === peerId
    if (!isOwn || arrival.method === 'OPTIONS') return undefined
    const { request, response } = arrival
    const path = found.params['rest'] || '/'
    const atPeer = match(arrival.method, path)
    request.url = `${path}${splitTarget(arrival.url).query}`
    const isForwarded = atPeer.kind === 'found' && atPeer.route.forward !== undefined
    return { arrival: isForwarded ? arrival : new Arrival('peer', request, response), found: atPeer }
  }
}
