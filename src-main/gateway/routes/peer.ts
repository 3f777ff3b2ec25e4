import { assertPeerId } from '../../p2p/http/peer-clients.js'
import { forwardExchange } from '../begin-exchange.js'
import { hasBody } from '../forward/request-body.js'
import type { GatewayNeeds } from '../needs.js'
import { FORWARDED_METHODS, splitTarget, type Route } from '../route.js'

export function peerRoutes(needs: GatewayNeeds): Route[] {
  return [
    {
      methods: FORWARDED_METHODS,
      path: '/v1/p2p/:peerId/*',
      doors: ['local'],
      cors: true,
      summary: 'Forwards to that peer’s peer door.',
      handle(ctx, params) {
        const peerId = params['peerId'] ?? ''
        assertPeerId(peerId)
        const { query } = splitTarget(ctx.req.url ?? '')
        const path = `${params['rest'] || '/'}${query}`
        return forwardExchange(needs, ctx, { service: 'p2p', route: '/v1/p2p/:peerId/*' }, async (exchange) => {
          exchange.body = hasBody(ctx.req) ? { kind: 'stream', stream: ctx.req } : { kind: 'none' }
          await needs.forwarder.toPeer(exchange, peerId, path)
        })
      },
    },
  ]
}
