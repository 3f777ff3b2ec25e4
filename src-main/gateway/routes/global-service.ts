import type { Context } from 'koa'
import { AppError } from '#shared/errors.js'
import { didYouMean } from '../../config/near-names.js'
import { MODEL_PATHS } from '../../services/index.js'
import { forwardExchange, keepClientAwake } from '../begin-exchange.js'
import type { Exchange } from '../forward/exchange.js'
import { noProvider } from '../forward/failures.js'
import {
  fallbackLevel,
  identityQueries,
  matchingEntries,
  parseIdentityHeader,
  type IdentityQuery,
} from '../forward/identity.js'
import { readRoutingBody } from '../forward/request-body.js'
import { listModels } from '../models-list.js'
import { nearModels } from '../near-models.js'
import type { GatewayNeeds, GatewayOptions } from '../needs.js'
import { FORWARDED_METHODS, splitTarget, type Route } from '../route.js'
import { parseServiceName } from '../service-name.js'

export function globalServiceRoutes(needs: GatewayNeeds, options: GatewayOptions): Route[] {
  const forward = createGlobalForward(needs, options)
  return [
    ...MODEL_PATHS.map((path): Route => ({
      methods: ['POST'],
      path,
      doors: ['local'],
      cors: true,
      summary: `Short form of /v1/service/llm${path}.`,
      handle: (ctx) => forward(ctx, 'llm', ctx.req.url ?? path, path),
    })),
    {
      methods: ['GET'],
      path: '/v1/realtime',
      doors: ['local'],
      cors: true,
      summary: 'A WebSocket to a provider of the model in the query (?model=…).',
      handle: (ctx) => forward(ctx, 'llm', ctx.req.url ?? '/v1/realtime', '/v1/realtime'),
    },
    {
      methods: FORWARDED_METHODS,
      path: '/v1/service/:service/*',
      // Never on the peer door: this node would be an open relay.
      doors: ['local'],
      cors: true,
      summary: 'Chooses a provider whose identity group matches and forwards to it.',
      handle(ctx, params) {
        const service = parseServiceName(params['service'] ?? '')
        const { query } = splitTarget(ctx.req.url ?? '')
        return forward(ctx, service, `${params['rest'] || '/'}${query}`, '/v1/service/:service/*')
      },
    },
  ]
}

function createGlobalForward(needs: GatewayNeeds, options: GatewayOptions) {
  const { registry, table, reachability, knownOffers, forwarder, host, choice } = needs

  function queriesOf(ctx: Context, service: string, exchange: Exchange): IdentityQuery[] {
    const header = ctx.req.headers['x-ocf-identity-group']
    if (typeof header === 'string') return [parseIdentityHeader(header)]
    return identityQueries(service, exchange.body)
  }

  /** Why nobody was found, as the client shall hear it. */
  function nobody(service: string, queries: readonly IdentityQuery[], knownButAway: boolean): AppError {
    const model = queries.find(({ key }) => key === 'model')?.value
    if (service === 'llm' && model !== undefined) {
      const entry = `model=${model}`
      const ownIsAway = registry.list().some((own) => own.name === 'llm' && own.identityGroups.includes(entry))
      if (knownButAway || ownIsAway || knownOffers.offer('llm', entry)) {
        const reasons = [...table.providers('llm', entry)].flatMap((peerId) => {
          const reason = reachability.reasonOf(peerId)
          return reason === undefined ? [] : [`${peerId}: ${reason}`]
        })
        return noProvider(`The model "${model}"`, reasons)
      }
      const available = listModels({ ...needs, peerId: host.peerId }, 'local').map(({ id }) => id)
      return new AppError(
        'model_not_found',
        `Nobody offers a model "${model}".${didYouMean(nearModels(model, available))} GET /v1/models lists what there is.`,
        { param: 'model' },
      )
    }
    const isKnown = knownOffers.service(service) || registry.list().some((own) => own.name === service)
    if (!isKnown) {
      return new AppError('service_not_found', `Nobody offers a service "${service}".`, { param: 'service' })
    }
    return noProvider(`The service "${service}"`, ['no provider has an identity group that matches this request'])
  }

  return (ctx: Context, service: string, path: string, route: string): Promise<void> =>
    forwardExchange(needs, ctx, { service, route }, async (exchange) => {
      const identityKnown = ctx.req.headers['x-ocf-identity-group'] !== undefined
      exchange.body = await readRoutingBody(ctx.req, { maxBytes: options.maxBodyBytes, identityKnown })
      const queries = queriesOf(ctx, service, exchange)
      const fallback = fallbackLevel(ctx.req.headers['x-ocf-fallback'] ?? ctx.req.headers['x-otela-fallback'])
      const model = queries.find(({ key }) => key === 'model')?.value
      if (service === 'llm' && queries.length === 0 && fallback < 2) throw missingModel()
      if (model !== undefined) exchange.traffic.update({ model })
      const wish = { headers: ctx.req.headers, body: exchange.body }
      const { providers, knownButAway } = await choice.choose(service, matchingEntries(queries, fallback), wish)
      exchange.traffic.update({ candidates: providers.length })
      if (providers.length === 0) throw nobody(service, queries, knownButAway)
      keepClientAwake(exchange)
      const what = model === undefined ? `the service "${service}"` : `the model "${model}"`
      const answeredBy = await forwarder.toProviders(exchange, { service, path, what }, providers)
      if (answeredBy !== undefined) choice.answered(wish, answeredBy)
    })
}

function missingModel(): AppError {
  return new AppError(
    'missing_model',
    'The request names no model. Put "model" into the JSON body, the form or (without a body) the query, or send the header X-Ocf-Identity-Group: model=….',
    { param: 'model' },
  )
}
