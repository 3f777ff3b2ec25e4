import { assertPeerId } from '../../p2p/index.js'
import { hasBody } from '../body/request-body.js'
import { runExchange } from '../forward/exchange.js'
import type { GatewayNeeds } from '../needs.js'
import { FORWARDED_METHODS, type Route, splitTarget } from './route.js'

export function peerRoutes(needs: GatewayNeeds): Route[] {
  return [
    {
      methods: FORWARDED_METHODS,
      path: '/v1/p2p/:peerId/*',
      listeners: ['local'],
      pages: 'never',
      summary: 'Forwards to the gateway of that peer.',
      forward(arrival, params) {
        const peerId = params['peerId'] ?? ''
        assertPeerId(peerId)
        const { query } = splitTarget(arrival.url)
        const path = `${params['rest'] || '/'}${query}`
        return runExchange(needs, arrival, { service: 'p2p', route: '/v1/p2p/:peerId/*' }, async (exchange) => {
          const { request } = arrival
          exchange.body = hasBody(request) ? { kind: 'stream', stream: request } : { kind: 'none' }
          await needs.forwarder.toPeer(exchange, peerId, path)
        })
      },
    },
  ]
}
