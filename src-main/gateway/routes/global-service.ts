import { ANY_SERVICE_PREFIX } from '#shared/routes.js'
import { MODEL_PATHS } from '../../services/index.js'
import { createGlobalForward } from '../forward/global-forward.js'
import type { GatewayNeeds, GatewayOptions } from '../needs.js'
import { FORWARDED_METHODS, splitTarget, type Route } from './route.js'
import { parseServiceName } from './service-name.js'

const ROUTE = `${ANY_SERVICE_PREFIX}:service/*`

export function globalServiceRoutes(needs: GatewayNeeds, options: GatewayOptions): Route[] {
  const forward = createGlobalForward(needs, options)
  return [
    ...MODEL_PATHS.map((path): Route => ({
      methods: ['POST'],
      path,
      doors: ['local'],
      cors: true,
      summary: `Short form of ${ANY_SERVICE_PREFIX}llm${path}.`,
      forward: (arrival) => forward(arrival, { service: 'llm', path: arrival.url, route: path }),
    })),
    {
      methods: ['GET'],
      path: '/v1/realtime',
      doors: ['local'],
      cors: true,
      summary: 'A WebSocket to a provider of the model in the query (?model=…).',
      forward: (arrival) => forward(arrival, { service: 'llm', path: arrival.url, route: '/v1/realtime' }),
    },
    {
      methods: FORWARDED_METHODS,
      path: ROUTE,
      // Never on the peer door: this node would be an open relay.
      doors: ['local'],
      cors: true,
      summary: 'Chooses a provider whose identity group matches and forwards to it.',
      forward(arrival, params) {
        const service = parseServiceName(params['service'] ?? '')
        const { query } = splitTarget(arrival.url)
        const path = `${params['rest'] || '/'}${query}`
        return forward(arrival, { service, path, route: ROUTE })
      },
    },
  ]
}
