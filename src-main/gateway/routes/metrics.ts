import type { GatewayNeeds } from '../needs.js'
import type { Route } from './route.js'

/** Figures for Prometheus; never to a web page and never to another peer. */
export function metricsRoutes({ metrics }: Pick<GatewayNeeds, 'metrics'>): Route[] {
  return [
    {
      methods: ['GET', 'HEAD'],
      path: '/metrics',
      listeners: ['local'],
      pages: 'never',
      summary: 'Figures of this node in Prometheus’ text format.',
      async handle(ctx) {
        ctx.set('Cache-Control', 'no-store')
        ctx.set('X-Content-Type-Options', 'nosniff')
        ctx.type = metrics.contentType
        ctx.body = await metrics.render()
      },
    },
  ]
}
