import type { Route } from '../routes/route.js'

/** What a peer finds at this node by HTTP over libp2p, as the libp2p specification has it: name and path of each protocol. */
const PROTOCOLS = {
  '/ocf/peer/1.0.0': { path: '/v1/' },
} as const

/** Tells peers that speak standard HTTP over libp2p what there is. */
export function wellKnownRoutes(): Route[] {
  return [
    {
      methods: ['GET', 'HEAD'],
      path: '/.well-known/libp2p/protocols',
      listeners: ['peer'],
      pages: 'never',
      summary: 'Protocols of this node over HTTP, as the libp2p specification lists them.',
      handle(ctx) {
        ctx.body = PROTOCOLS
      },
    },
  ]
}
