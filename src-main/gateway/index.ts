import type { RequestListener } from 'node:http'
import { isForNextProvider } from './go-compat/otela-headers.js'
import { createAdmit } from './listener/admit.js'
import { acceptAbsoluteForm, answerError, Arrival, discardRest } from './listener/arrival.js'
import type { Listener } from './listener/listeners.js'
import { createPages } from './listener/pages.js'
import type { GatewayNeeds, GatewayOptions } from './needs.js'
import { allRoutes } from './routes/index.js'
import { createOwnPeer } from './routes/peer.js'
import {
  createMatcher,
  createNearMatcher,
  type PathParams,
  remembering,
  type Route,
  type RouteMatch,
  splitTarget,
} from './routes/route.js'

export type { GatewayNeeds, GatewayOptions, GatewayTiming } from './needs.js'
export { BodyMemory } from './body/body-memory.js'
export { createForwarder } from './forward/forwarder.js'
export { HOPS_HEADER } from './forward/headers.js'
export { createLocalClients } from './forward/local-clients.js'
export { ApiKeyCheck, asksForKey } from './listener/api-keys.js'
export { discardRest } from './listener/arrival.js'
export { createListeners } from './listener/listeners.js'
export { type Listening, listenOn } from './listener/loopbacks.js'
export { LoopWatch } from './listener/loop-watch.js'
export { createLocalListener } from './listener/local-listener.js'
export { readJson } from './listener/read-json.js'
export { KeptResponses } from './routing/affinity/kept-responses.js'
export { TokenSizes } from './routing/eligibility/token-sizes.js'
export { createLearnedRates } from './routing/estimate/learned-rates.js'
export { createKnownOffers } from './routing/known-offers.js'
export { createModelCatalog, type ModelCatalog, type RoutableModel } from './routing/model-catalog.js'
export { Patience, PATIENCE } from './routing/patience.js'
export { createProviderChoice } from './routing/provider-choice.js'
export { createProviderHealth, modelOfOffer, type ProviderHealth } from './routing/provider-health.js'
export { createProviderScores } from './routing/provider-scores.js'
export { createRequestReach } from './routing/reach.js'
export { createStatusFollower } from './routing/status-follower.js'
export { createReachablePeers, type ReachablePeers } from './routing/reachable-peers.js'

/**
 * The gateway at one of its two ways in, as a request listener for `node:http`: one table of routes, open on each only
 * where the table says so. What programs send to be forwarded goes straight to the forwarder; everything else, and whatever comes from
 * a web page, is Koa's (docs/decisions/0012).
 */
export function createGatewayListener(
  needs: GatewayNeeds,
  options: GatewayOptions,
  listener: Listener,
): RequestListener {
  const log = needs.log.forComponent('gateway')
  const routes = allRoutes(needs, options)
  const match = remembering(createMatcher(routes, listener))
  const nearMatch = createNearMatcher(match)
  const ownPeer = createOwnPeer(needs.host.peerId, routes)
  const admit = createAdmit(options)
  const pages = createPages({ log, apiKeys: needs.apiKeys }, options)

  async function forward(arrival: Arrival, route: Route, params: PathParams): Promise<void> {
    try {
      await route.forward?.(arrival, params)
    } catch (error) {
      if (options.settings['go-network'] === 'share' && isForNextProvider(arrival, error)) {
        arrival.request.socket.destroy()
        return
      }
      answerError(arrival, error, log)
    }
    discardRest(arrival.request, arrival.response)
  }

  function serve(arrival: Arrival, found: RouteMatch): void {
    const isForwarded = found.kind === 'found' && found.route.forward !== undefined && arrival.method !== 'OPTIONS'
    if (isForwarded && arrival.request.headers.origin === undefined) {
      needs.apiKeys.assert(arrival, found)
      void forward(arrival, found.route, found.params)
    } else pages(arrival, found)
  }

  /** What a request of this machine means; where its path is only near one, it goes on under that. */
  function find(arrival: Arrival): RouteMatch {
    const { path, query } = splitTarget(arrival.url)
    const found = match(arrival.wantedMethod, path)
    if (found.kind !== 'none' || listener === 'peer') return found
    const near = nearMatch(arrival.wantedMethod, path)
    if (near === undefined) return found
    arrival.request.url = `${near.path}${query}`
    return near.found
  }

  return (request, response) => {
    // Peers send the origin form; at their listener there is no other.
    if (listener === 'local') acceptAbsoluteForm(request)
    const arrival = new Arrival(listener, request, response)
    // A peer knows that streams are kept: it would be bytes in each of its answers.
    if (listener === 'peer') response.removeHeader('Connection')
    try {
      const found = find(arrival)
      admit(arrival, found)
      needs.apiKeys.identify(arrival)
      const own = ownPeer(arrival, found)
      if (own !== undefined) {
        needs.apiKeys.assert(arrival, found)
        serve(own.arrival, own.found)
      } else serve(arrival, found)
    } catch (error) {
      answerError(arrival, error, log)
      discardRest(request, response)
    }
  }
}
