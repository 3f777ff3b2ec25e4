import { AppError } from '#shared/errors.js'
import { emptyPeerRecord } from '#shared/records.js'
import { scopeOf } from '../../p2p/index.js'
import type { GatewayNeeds } from '../needs.js'
import type { Route } from '../routes/route.js'

/** This node's own row, as tools of the Go implementation ask for it on the machine it runs on. */
export function selfRoutes(needs: Pick<GatewayNeeds, 'host' | 'table'>): Route[] {
  const { host, table } = needs
  return [
    {
      methods: ['GET', 'HEAD'],
      path: '/v1/self',
      listeners: ['local'],
      pages: 'never',
      summary: 'This node’s own row, for programs of this machine alone.',
      handle(ctx) {
        if (scopeOf(ctx.req.socket.remoteAddress ?? '') !== 'loopback') {
          throw new AppError('forbidden_host', 'Only programs of this machine may ask for this.')
        }
        ctx.body = { ...(table.get(host.peerId)?.record ?? emptyPeerRecord(host.peerId)), connected: true }
      },
    },
  ]
}
