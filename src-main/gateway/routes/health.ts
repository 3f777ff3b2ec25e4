import type { PageState } from '../listener/pages.js'
import type { GatewayNeeds, GatewayOptions } from '../needs.js'
import type { Route } from './route.js'

export function healthRoutes(needs: GatewayNeeds, options: GatewayOptions): Route[] {
  const startedAtMs = needs.monotonic.elapsedMs()
  return [
    {
      methods: ['GET', 'HEAD'],
      path: '/v1/health',
      listeners: ['local', 'peer'],
      pages: 'never',
      alsoUnder: 'none',
      keyless: true,
      summary: 'Whether this node is up.',
      handle(ctx) {
        const isKnown = needs.apiKeys.knows((ctx.state as PageState).arrival)
        ctx.body = {
          status: 'ok',
          ...(isKnown ? { peer_id: needs.host.peerId } : {}),
          version: options.version,
          uptime_s: Math.floor((needs.monotonic.elapsedMs() - startedAtMs) / 1000),
        }
      },
    },
  ]
}
