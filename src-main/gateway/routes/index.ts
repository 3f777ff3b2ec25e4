import { probeRoutes } from '../go-compat/probe.js'
import { selfRoutes } from '../go-compat/self.js'
import { wellKnownRoutes } from '../go-compat/well-known.js'
import type { GatewayNeeds, GatewayOptions } from '../needs.js'
import { describingRoutes } from './describing.js'
import { dntRoutes } from './dnt.js'
import { globalServiceRoutes } from './global-service.js'
import { healthRoutes } from './health.js'
import { homeRoutes } from './home.js'
import { metricsRoutes } from './metrics.js'
import { modelsRoutes } from './models.js'
import { ollamaRoutes } from './ollama.js'
import { ownNodeRoutes } from './own-node.js'
import { ownServiceRoutes } from './own-service.js'
import { peerRoutes } from './peer.js'
import { responsesRoutes } from './responses.js'
import type { Route } from './route.js'

/** The gateway's table of routes, in the order they are matched. */
export function allRoutes(needs: GatewayNeeds, options: GatewayOptions): Route[] {
  const routes: Route[] = [
    ...homeRoutes(needs, options),
    ...healthRoutes(needs, options),
    ...modelsRoutes(needs),
    ...globalServiceRoutes(needs, options),
    ...responsesRoutes(needs),
    ...ollamaRoutes(needs, options),
    ...ownServiceRoutes(needs, options),
    ...peerRoutes(needs),
    ...dntRoutes(needs),
    ...ownNodeRoutes(needs, options),
    ...metricsRoutes(needs),
    ...selfRoutes(needs),
    ...probeRoutes(needs),
    ...wellKnownRoutes(),
  ]
  // Last, for they describe the others and themselves.
  const describing = describingRoutes(options, () => [...routes, ...describing])
  return [...routes, ...describing]
}
