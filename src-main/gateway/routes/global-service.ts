import { AppError } from '#shared/errors.js'
import { ollamaKeyOf } from '#shared/model-names.js'
import { ANY_SERVICE_PREFIX } from '#shared/routes.js'
import { didYouMean } from '../../config/index.js'
import { FORWARDS_BACK, type LocalService, MODEL_PATHS, OLLAMA_API } from '../../services/index.js'
import { modelOf, readRoutingBody, type RequestBody, withModel } from '../body/request-body.js'
import { type Exchange, keepClientAwake, runExchange } from '../forward/exchange.js'
import { noProvider } from '../forward/failures.js'
import { fallbackHeader, identityGroupHeader, refuseTrustLevels } from '../go-compat/otela-headers.js'
import { answerJson, type Arrival } from '../listener/arrival.js'
import { loopError } from '../listener/loop-watch.js'
import type { GatewayNeeds, GatewayOptions } from '../needs.js'
import type { Choice, Provider } from '../routing/choose-providers.js'
import { consideredAnew } from '../routing/estimate/considered.js'
import {
  fallbackLevel,
  identityQueries,
  type IdentityQuery,
  matchingEntries,
  parseIdentityHeader,
} from '../routing/identity-queries.js'
import { nearModels, ollamaModelFor } from '../routing/near-models.js'
import { recheck } from '../routing/own-servers.js'
import { keeperAway, previousResponse } from './responses.js'
import { FORWARDED_METHODS, parseServiceName, type Route, splitTarget } from './route.js'

const ROUTE = `${ANY_SERVICE_PREFIX}:service/*`

export function globalServiceRoutes(needs: GatewayNeeds, options: GatewayOptions): Route[] {
  const forward = createGlobalForward(needs, options)
  return [
    ...MODEL_PATHS.map((path): Route => ({
      methods: ['POST'],
      path,
      listeners: ['local'],
      pages: 'model-path',
      summary: `Short form of ${ANY_SERVICE_PREFIX}llm${path}.`,
      forward: (arrival) => forward(arrival, { service: 'llm', path: arrival.url, route: path }),
    })),
    {
      methods: ['GET'],
      path: '/v1/realtime',
      listeners: ['local'],
      pages: 'model',
      summary: 'A WebSocket to a provider of the model in the query (?model=…).',
      forward: (arrival) => forward(arrival, { service: 'llm', path: arrival.url, route: '/v1/realtime' }),
    },
    {
      methods: FORWARDED_METHODS,
      path: ROUTE,
      // Never on the peer listener: this node would be an open relay.
      listeners: ['local'],
      pages: 'model-path',
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

/** A request for any provider of what it asks for. */
interface GlobalRequest {
  service: string
  /** Raw path and query at the server. */
  path: string
  /** The route's pattern, for the traffic feed. */
  route: string
  /** An entry the provider's service must have besides what the request asks for. */
  also?: string
  /** What is answered here, without any provider. */
  answer?: (body: RequestBody) => object | undefined
}

/** Who is asked for what. */
interface Chosen {
  queries: IdentityQuery[]
  model: string | undefined
  entries: readonly string[]
  work: ReturnType<GatewayNeeds['choice']['workOf']>
  found: Choice
  /** Who is asked next where those of these ids have not answered. */
  chooseAgain: (asked: ReadonlySet<string>) => readonly Provider[]
  /** Looks for others where nobody is left. */
  findMore: (asked: ReadonlySet<string>) => Promise<readonly Provider[]>
}

/** Forwards to a chosen provider; see {@link runExchange} for what is thrown. */
export type GlobalForward = (arrival: Arrival, request: GlobalRequest) => Promise<void>

export function createGlobalForward(needs: GatewayNeeds, options: GatewayOptions): GlobalForward {
  const { registry, table, health, knownOffers, forwarder, choice, models } = needs

  function queriesOf(service: string, { request, body }: Exchange): IdentityQuery[] {
    const header = identityGroupHeader(request.headers)
    if (header !== undefined) return [parseIdentityHeader(header)]
    return identityQueries(service, body)
  }

  /** Somebody has offered it, if only under the whole name that Ollama knows it by. */
  const isKnown = (model: string): boolean =>
    [model, ollamaKeyOf(model)].some((name) => knownOffers.offer('llm', `model=${name}`))

  /** Nobody offers it now, and its Ollama may come back: not so where servers of other interfaces have it. */
  function isOllamaAway(model: string | undefined): boolean {
    if (model === undefined) return false
    const ownIsAway = registry
      .list()
      .some(
        ({ name, identityGroups: own }) => name === 'llm' && own.includes(`model=${model}`) && own.includes(OLLAMA_API),
      )
    return ownIsAway || (isKnown(model) && !models.list().some(({ id }) => id === model))
  }

  /** Why no provider was found, as the client gets it. */
  function noneFound(service: string, queries: readonly IdentityQuery[], knownButAway: boolean): AppError {
    const model = queries.find(({ key }) => key === 'model')?.value
    if (service === 'llm' && model !== undefined) {
      const entry = `model=${model}`
      const ownIsAway = registry.list().some((own) => own.name === 'llm' && own.identityGroups.includes(entry))
      if (knownButAway || ownIsAway || isKnown(model)) {
        const reasons = [...table.providers('llm', entry)].flatMap((peerId) => {
          const reason = health.reasonOf(peerId)
          return reason === undefined ? [] : [`${peerId}: ${reason}`]
        })
        return noProvider(`The model "${model}"`, reasons)
      }
      const available = models.list().map(({ id }) => id)
      return new AppError(
        'model_not_found',
        `Nobody offers a model "${model}".${didYouMean(nearModels(model, available))} GET /v1/models lists what there is.`,
        { param: 'model' },
      )
    }
    const isServiceKnown = knownOffers.service(service) || registry.list().some((own) => own.name === service)
    if (!isServiceKnown) {
      return new AppError('service_not_found', `Nobody offers a service "${service}".`, { param: 'service' })
    }
    return noProvider(`The service "${service}"`, ['no provider has an identity group that matches this request'])
  }

  /** Somebody offers it, and the request may not go there. */
  function onlyBeyondReach(service: string, model: string | undefined): AppError {
    const isOwn = registry
      .list()
      .some(({ name, identityGroups: own }) => name === service && own.includes(`model=${model}`))
    if (isOwn) {
      return new AppError(
        'no_provider',
        `The model "${model}" is your own server’s, which does not answer at the moment. Others offer it too, and what you send to your own models does not go to strangers: start the server, or see the setting use.overflow.`,
        { retryAfterS: 5 },
      )
    }
    const imitated = model === undefined ? undefined : models.imitatedBy(model)
    if (imitated !== undefined) {
      return new AppError(
        'beyond_reach',
        `The name "${model}" only looks like "${imitated}", and strangers alone offer it: it is not asked for. Ask for "${imitated}".`,
        { param: 'model' },
      )
    }
    return new AppError(
      'beyond_reach',
      `${model === undefined ? 'What this request asks for' : `The model "${model}"`} is offered only by peers that it may not go to. See X-Ocf-Only and the setting use.reach.`,
    )
  }

  /** Where nobody was found, own servers that would be able to and are thought to be down are asked whether they are. */
  async function chosenAnew(
    service: string,
    tiers: readonly (readonly string[])[],
    hints: Parameters<typeof choice.choose>[2],
    found: Choice,
  ): Promise<Choice> {
    const isWanted = (entry: string): boolean => tiers.some((entries) => entries.includes(entry))
    const down = registry
      .list()
      .filter((own) => own.name === service && own.status !== 'connected' && own.identityGroups.some(isWanted))
    if (down.length === 0) return found
    await recheck(registry, down)
    return down.some(({ id }) => registry.get(id)?.status === 'connected')
      ? await choice.choose(service, tiers, hints)
      : found
  }

  /** The same request for the model that its name means to Ollama; undefined where that is none. */
  function underOllamasName(service: string, { request, body }: Exchange): RequestBody | undefined {
    if (service !== 'llm' || body.kind !== 'read' || identityGroupHeader(request.headers) !== undefined) return
    const model = modelOf(body)
    const meant = model === undefined ? undefined : ollamaModelFor(needs, model)
    return meant === undefined ? undefined : withModel(body, meant)
  }

  return (arrival, { service, path, route, also, answer }) =>
    runExchange(needs, arrival, { service, route }, async (exchange) => {
      const { headers } = arrival.request
      refuseTrustLevels(headers)
      const identityKnown = identityGroupHeader(headers) !== undefined
      const maxBytes = options.settings['gateway.max-body']
      exchange.body = await readRoutingBody(arrival.request, { maxBytes, identityKnown, memory: exchange.memory })
      needs.loops.check(exchange)
      const previous = previousResponse(exchange.body, path)
      const keeper = previous === undefined ? undefined : needs.responses.keeperOf(previous)
      const fallback = fallbackLevel(fallbackHeader(headers))

      async function choose(): Promise<Chosen> {
        const queries = queriesOf(service, exchange)
        const model = queries.find(({ key }) => key === 'model')?.value
        if (service === 'llm' && queries.length === 0 && fallback < 2) throw missingModel()
        const tiers = matchingEntries(queries, fallback)
        const work = choice.workOf(service, tiers[0] ?? [], { body: exchange.body, path })
        const wished = keeper?.kind === 'peer' ? { ...headers, 'x-ocf-prefer': keeper.peerId } : headers
        const hints = { headers: wished, work, also }
        const chosen = choice.choose(service, tiers, hints)
        // A promise only where the network has to be asked.
        const first = chosen instanceof Promise ? await chosen : chosen
        const found = first.providers.length > 0 ? first : await chosenAnew(service, tiers, hints, first)
        const chooseAgain: Chosen['chooseAgain'] = (asked) => choice.chooseAgain(service, tiers, hints, asked)
        const findMore: Chosen['findMore'] = (asked) => choice.findMore(service, tiers, hints, asked)
        return { queries, model, entries: tiers[0] ?? [], work, found, chooseAgain, findMore }
      }

      let chosen = await choose()
      const meant = chosen.found.providers.length > 0 ? undefined : underOllamasName(service, exchange)
      if (meant !== undefined) {
        exchange.body = meant
        chosen = await choose()
      }
      const { queries, model, entries, work } = chosen
      const what = model === undefined ? `the service "${service}"` : `the model "${model}"`
      const { providers: all, knownButAway, beyondReach, unable } = chosen.found
      const providers = keeper === undefined ? all : all.filter((provider) => isSame(provider, keeper))
      if (previous !== undefined && keeper !== undefined && providers.length === 0) throw keeperAway(previous, keeper)
      const considered = choice.explain(providers, work)
      function chooseAgain(asked: ReadonlySet<string>): readonly Provider[] {
        const next = chosen.chooseAgain(asked)
        considered.splice(0, considered.length, ...consideredAnew(considered, asked, choice.explain(next, work)))
        exchange.traffic.update({ considered: [...considered] })
        return next
      }
      exchange.traffic.update({ model: model ?? null, candidates: providers.length, considered: [...considered] })
      if (providers.length === 0) {
        if (registry.list().some((own) => forwardsBack(own, service, entries))) throw loopError()
        if (unable) throw choice.whyUnable(service, entries, { what, work })
        if (beyondReach) throw onlyBeyondReach(service, model)
        const isNoOllamas = also !== undefined && !knownButAway && !isOllamaAway(model)
        throw isNoOllamas ? noOllama(model) : noneFound(service, queries, knownButAway)
      }
      const ready = answer?.(exchange.body)
      if (ready !== undefined) {
        answerJson(arrival, 200, ready)
        exchange.traffic.finish({ status: 200 })
        return
      }
      keepClientAwake(exchange, service, path, options.timing?.commentEveryMs)
      await forwarder.toProviders(
        exchange,
        {
          service,
          path,
          what,
          work,
          considered,
          ...(keeper === undefined && { chooseAgain, findMore: chosen.findMore }),
        },
        providers,
      )
    })
}

/** An own server that would have been asked and was found to forward to this node. */
const forwardsBack = (own: LocalService, name: string, entries: readonly string[]): boolean =>
  own.problem === FORWARDS_BACK && own.name === name && entries.some((entry) => own.identityGroups.includes(entry))

function isSame(one: Provider, other: Provider): boolean {
  if (one.kind === 'peer') return other.kind === 'peer' && one.peerId === other.peerId
  return other.kind === 'self' && one.serviceId === other.serviceId
}

function noOllama(model: string | undefined): AppError {
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
