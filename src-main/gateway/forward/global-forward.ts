import { AppError } from '#shared/errors.js'
import { didYouMean } from '../../config/near-names.js'
import type { Arrival } from '../listener/arrival.js'
import { forwardExchange, keepClientAwake } from './begin-exchange.js'
import type { Exchange } from './exchange.js'
import { noProvider } from './failures.js'
import {
  fallbackLevel,
  identityQueries,
  matchingEntries,
  parseIdentityHeader,
  type IdentityQuery,
} from '../routing/identity.js'
import { readRoutingBody, type RequestBody } from '../body/request-body.js'
import { listModels } from '../routing/models-list.js'
import { nearModels } from '../routing/near-models.js'
import type { GatewayNeeds, GatewayOptions } from '../needs.js'

/** A request for whoever offers what it asks for. */
interface GlobalRequest {
  service: string
  /** Raw path and query at the server. */
  path: string
  /** The route's pattern, for the traffic feed. */
  route: string
  /** An entry the provider's service must have besides what the request asks for. */
  also?: string
  /** Makes of the body what the provider shall get. */
  understand?: (body: RequestBody) => RequestBody
}

/** Forwards to a chosen provider; see {@link forwardExchange} for what is thrown. */
export type GlobalForward = (arrival: Arrival, request: GlobalRequest) => Promise<void>

export function createGlobalForward(needs: GatewayNeeds, options: GatewayOptions): GlobalForward {
  const { registry, table, reachability, knownOffers, forwarder, host, choice } = needs

  function queriesOf(service: string, { request, body }: Exchange): IdentityQuery[] {
    const header = request.headers['x-ocf-identity-group']
    if (typeof header === 'string') return [parseIdentityHeader(header)]
    return identityQueries(service, body)
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

  return (arrival, { service, path, route, also, understand }) =>
    forwardExchange(needs, arrival, { service, route }, async (exchange) => {
      const { headers } = arrival.request
      const identityKnown = headers['x-ocf-identity-group'] !== undefined
      const body = await readRoutingBody(arrival.request, { maxBytes: options.maxBodyBytes, identityKnown })
      exchange.body = understand?.(body) ?? body
      const queries = queriesOf(service, exchange)
      const fallback = fallbackLevel(headers['x-ocf-fallback'] ?? headers['x-otela-fallback'])
      const model = queries.find(({ key }) => key === 'model')?.value
      if (service === 'llm' && queries.length === 0 && fallback < 2) throw missingModel()
      const wish = { headers, body: exchange.body, also }
      const chosen = choice.choose(service, matchingEntries(queries, fallback), wish)
      // Waited for only where somebody has to be asked.
      const { providers, knownButAway } = chosen instanceof Promise ? await chosen : chosen
      exchange.traffic.update({ model: model ?? null, candidates: providers.length })
      if (providers.length === 0) {
        throw also !== undefined && !knownButAway ? nobodySpeaks(model) : nobody(service, queries, knownButAway)
      }
      keepClientAwake(exchange, service, path, options.timing?.commentEveryMs)
      const what = model === undefined ? `the service "${service}"` : `the model "${model}"`
      const answeredBy = await forwarder.toProviders(exchange, { service, path, what }, providers)
      if (answeredBy !== undefined) choice.answered(wish, answeredBy)
    })
}

function nobodySpeaks(model: string | undefined): AppError {
  return new AppError(
    'model_not_found',
    `No Ollama in the network offers a model "${model ?? ''}". GET /api/tags lists what there is; models of other servers are at /v1/chat/completions.`,
    { param: 'model' },
  )
}

function missingModel(): AppError {
  return new AppError(
    'missing_model',
    'The request names no model. Put "model" into the JSON body, the form or (without a body) the query, or send the header X-Ocf-Identity-Group: model=….',
    { param: 'model' },
  )
}
