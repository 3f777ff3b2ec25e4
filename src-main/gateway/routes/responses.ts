import type { IncomingMessage } from 'node:http'
import { AppError } from '#shared/errors.js'
import type { LocalService } from '../../services/index.js'
import { hasBody, type RequestBody, withoutBody } from '../body/request-body.js'
import { runExchange } from '../forward/exchange.js'
import type { Arrival } from '../listener/arrival.js'
import type { GatewayNeeds } from '../needs.js'
import type { Provider } from '../routing/choose-providers.js'
import type { Method, PathParams, Route } from './route.js'

const ROUTE = '/v1/responses/:id'

/** What can be asked of a response that is kept, by the rest of its path. */
const ABOUT_RESPONSE: readonly { methods: Method[]; rest: string; summary: string }[] = [
  {
    methods: ['GET', 'DELETE'],
    rest: '',
    summary: 'A response that its provider keeps: it goes to the one that made it.',
  },
  { methods: ['POST'], rest: '/cancel', summary: 'Ends a response that its provider still works on.' },
  { methods: ['GET'], rest: '/input_items', summary: 'What a response that its provider keeps was made from.' },
]

/** Whether a peer's request is about one response, and about which. */
export function responseAskedFor(method: string, path: string): string | undefined {
  const [, id, rest = ''] = /^\/v1\/responses\/([^/]+)(\/[^/]+)?$/.exec(path) ?? []
  const isAbout = ABOUT_RESPONSE.some((one) => one.rest === rest && one.methods.some((known) => known === method))
  return isAbout ? id : undefined
}

/** The id of the response that a request goes on from. */
export const previousResponse = (body: RequestBody, path: string): string | undefined =>
  body.kind === 'read' && path.split('?', 1)[0] === '/v1/responses'
    ? body.json?.text('previous_response_id')
    : undefined

/**
 * Of several servers of this machine the one that keeps the response which a request goes on from; all of them where it
 * goes on from none that is known. `asker`: the peer it was made for.
 * @throws AppError `no_provider` where that server is not among them
 */
export function keepersOf(
  { responses, registry }: Pick<GatewayNeeds, 'responses' | 'registry'>,
  services: readonly LocalService[],
  { body, path, asker }: { body: RequestBody; path: string; asker?: string | undefined },
): readonly LocalService[] {
  const previous = previousResponse(body, path)
  const keeper = previous === undefined ? undefined : responses.keeperOf(previous, asker)
  if (previous === undefined || keeper?.kind !== 'self') return services
  // Another server may have taken over what one that was removed has kept.
  if (registry.get(keeper.serviceId) === undefined) return services
  const kept = services.filter(({ id }) => id === keeper.serviceId)
  if (kept.length === 0) throw keeperAway(previous, keeper)
  return kept
}

/** What a provider keeps of `/v1/responses`, asked for by its id. */
export function responsesRoutes(needs: GatewayNeeds): Route[] {
  async function forward(arrival: Arrival, { id = '' }: PathParams): Promise<void> {
    await runExchange(needs, arrival, { service: 'llm', route: ROUTE }, async (exchange) => {
      exchange.body = bodyOfAny(arrival.request)
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

  return ABOUT_RESPONSE.map(({ methods, rest, summary }): Route => ({
    ...{ methods, path: `${ROUTE}${rest}`, summary, forward },
    listeners: ['local'],
    pages: 'model',
  }))
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

/** A body that is passed on as it comes. */
export const bodyOfAny = (request: IncomingMessage): RequestBody =>
  hasBody(request) ? { kind: 'stream', stream: request } : withoutBody(request)
