import { AppError } from '#shared/errors.js'
import { withoutBody } from '../body/request-body.js'
import { runExchange } from '../forward/exchange.js'
import type { Arrival } from '../listener/arrival.js'
import type { GatewayNeeds } from '../needs.js'
import type { Provider } from '../routing/choose-providers.js'
import type { PathParams, Route } from './route.js'

const ROUTE = '/v1/responses/:id'

/** What a provider keeps of `/v1/responses`, asked for by its id. */
export function responsesRoutes(needs: GatewayNeeds): Route[] {
  async function forward(arrival: Arrival, { id = '' }: PathParams): Promise<void> {
    await runExchange(needs, arrival, { service: 'llm', route: ROUTE }, async (exchange) => {
      exchange.body = withoutBody(arrival.request)
      const keeper = needs.responses.keeperOf(id)
      if (keeper === undefined) {
        throw new AppError('not_found', `This node does not know who keeps a response "${id.slice(0, 200)}".`)
      }
      if (!isThere(needs, keeper)) throw keeperAway(id, keeper)
      const work = needs.choice.workOf('llm', [], { body: exchange.body, path: arrival.url })
      const request = { service: 'llm', path: arrival.url, what: `the response "${id}"`, work, considered: [] }
      await needs.forwarder.toProviders(exchange, request, [keeper])
    })
  }

  return [
    {
      methods: ['GET', 'DELETE'],
      path: ROUTE,
      listeners: ['local'],
      pages: 'model',
      summary: 'A response that its provider keeps: it goes to the one that made it.',
      forward,
    },
  ]
}

/** Whether the provider that keeps a response can be asked now. */
function isThere({ registry, reachable, health }: GatewayNeeds, keeper: Provider): boolean {
  if (keeper.kind === 'self') return registry.get(keeper.serviceId)?.status === 'connected'
  return reachable.has(keeper.peerId) && health.isRoutable(keeper.peerId)
}

/** No other provider can go on from a response: its contents are with the one that made it. */
export function keeperAway(id: string, keeper: Provider): AppError {
  const who = keeper.kind === 'self' ? 'a server of this machine' : `the peer ${keeper.peerId}`
  return new AppError(
    'no_provider',
    `The response "${id}" is kept by ${who}, which can't be asked at the moment. Try again later, or send the whole conversation without previous_response_id.`,
    { retryAfterS: 5 },
  )
}
