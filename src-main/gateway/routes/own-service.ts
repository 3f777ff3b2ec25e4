import { AppError } from '#shared/errors.js'
import { OWN_SERVICE_PREFIX } from '#shared/routes.js'
import {
  FORWARDS_BACK,
  isPathShared,
  type LocalService,
  OLLAMA_API,
  type PeerClass,
  WEBSOCKET,
} from '../../services/index.js'
import { modelOf, readRoutingBody, type RequestBody } from '../body/request-body.js'
import { type Exchange, keepClientAwake, runExchange } from '../forward/exchange.js'
import { noProvider } from '../forward/failures.js'
import { createSharedUse, type SharedRequest } from '../forward/shared-use.js'
import { servicesForModel } from '../forward/targets.js'
import { answerJson, type Arrival } from '../listener/arrival.js'
import { loopError } from '../listener/loop-watch.js'
import { classOf, type GatewayNeeds, type GatewayOptions } from '../needs.js'
import { fitting, listModels } from '../routing/models-list.js'
import { recheck } from '../routing/own-servers.js'
import { bodyOfAny, keepersOf, responseAskedFor } from './responses.js'
import { FORWARDED_METHODS, parseServiceName, type Route, splitTarget } from './route.js'

export function ownServiceRoutes(needs: GatewayNeeds, options: GatewayOptions): Route[] {
  const { registry } = needs
  const sharedUse = createSharedUse(needs, options)

  /** To a peer there are only those that its class may use. */
  function connectedNow(name: string, asker: 'own' | PeerClass): readonly LocalService[] {
    if (asker === 'own') return registry.connected(name)
    return registry.sharedWith(asker).filter((service) => service.name === name && service.status === 'connected')
  }

  async function connectedServices(name: string, asker: 'own' | PeerClass): Promise<readonly LocalService[]> {
    const connected = connectedNow(name, asker)
    if (connected.length > 0) return connected
    const all = asker === 'own' ? registry.list() : registry.sharedWith(asker)
    const registered = all.filter((service) => service.name === name)
    await recheck(registry, registered)
    const back = connectedNow(name, asker)
    if (back.length > 0) return back
    if (registered.some(({ problem }) => problem === FORWARDS_BACK)) throw loopError()
    if (registered.length > 0) throw noProvider(`The service "${name}"`, ['its server does not answer'])
    throw new AppError('service_not_found', `This node has no service "${name}".`, { param: 'service' })
  }

  /** Reads the body only where the model in it decides something: several servers, or ids that differ. */
  async function bodyFor({ request, memory }: Exchange, services: readonly LocalService[]): Promise<RequestBody> {
    const modelDecides = services.length > 1 || services.some((service) => service.serverModelIds.size > 0)
    const maxBytes = options.settings['gateway.max-body']
    if (modelDecides) return await readRoutingBody(request, { maxBytes, identityKnown: false, memory })
    return bodyOfAny(request)
  }

  /** The server that keeps the response which this peer had made, and now asks about. */
  function keptFor({ method, request }: Arrival, peers: PeerClass, path: string): LocalService | undefined {
    const id = responseAskedFor(method, path)
    if (id === undefined) return undefined
    const keeper = needs.responses.keeperOf(id, request.socket.remoteAddress)
    if (keeper?.kind !== 'self') return undefined
    return connectedNow('llm', peers).find((service) => service.id === keeper.serviceId)
  }

  async function serveKept(arrival: Arrival, service: LocalService, path: string): Promise<void> {
    sharedUse.check(arrival)
    await runExchange(needs, arrival, { service: 'llm', route: ROUTE }, async (exchange) => {
      exchange.body = bodyOfAny(arrival.request)
      await needs.forwarder.toOwnServices(exchange, [service], `${path}${splitTarget(arrival.url).query}`)
    })
  }

  /** A peer's request, to what is shared of this node's services. */
  async function serveShared(arrival: Arrival, name: string, rest: string): Promise<void> {
    const method = arrival.isHandshake ? WEBSOCKET : arrival.method
    const peers = classOf(needs, arrival.request.socket.remoteAddress)
    const kept = name === 'llm' ? keptFor(arrival, peers, rest) : undefined
    if (kept !== undefined) {
      await serveKept(arrival, kept, rest)
      return
    }
    const shared = async (): Promise<readonly LocalService[]> => {
      const services = speaking(await connectedServices(name, peers), rest).filter((service) =>
        isPathShared(service.sharedPaths, method, rest),
      )
      if (services.length === 0) throw notShared(name)
      return services
    }
    if (isModelList(name, method, rest)) {
      await shared()
      sharedUse.check(arrival)
      // Never the server's own list: it holds what is not shared, and paths on the owner's disk.
      const data = fitting(listModels(needs, peers))
      answerJson(arrival, 200, { object: 'list', data })
      return
    }
    await runExchange(needs, arrival, { service: name, route: ROUTE }, async (exchange) => {
      const { query } = splitTarget(arrival.url)
      const asker = arrival.request.socket.remoteAddress
      const narrow: SharedRequest['narrow'] = (services, body) =>
        keepersOf(needs, services, { body, path: rest, asker })
      await sharedUse.serve(arrival, exchange, { name, path: rest, query, services: await shared(), narrow })
    })
  }

  /** A request of this machine's own programs. */
  async function serveOwn(arrival: Arrival, name: string, rest: string): Promise<void> {
    await runExchange(needs, arrival, { service: name, route: ROUTE }, async (exchange) => {
      const services = speaking(await connectedServices(name, 'own'), rest)
      exchange.body = await bodyFor(exchange, services)
      needs.loops.check(exchange)
      const { body } = exchange
      const able = keepersOf(needs, servicesForModel(services, body), { body, path: rest })
      const model = modelOf(exchange.body)
      if (model !== undefined) exchange.traffic.update({ model })
      keepClientAwake(exchange, name, rest, options.timing?.commentEveryMs)
      await needs.forwarder.toOwnServices(exchange, able, `${rest}${splitTarget(arrival.url).query}`)
    })
  }

  return [
    {
      methods: FORWARDED_METHODS,
      path: ROUTE,
      listeners: ['local', 'peer'],
      pages: 'never',
      summary: 'The service registered on this node; to a peer only the paths that are shared.',
      async forward(arrival, params) {
        const name = parseServiceName(params['service'] ?? '')
        const rest = params['rest'] || '/'
        await (arrival.listener === 'peer' ? serveShared : serveOwn)(arrival, name, rest)
      },
    },
  ]
}

const ROUTE = `${OWN_SERVICE_PREFIX}:service/*`

/** For Ollama's own paths the Ollamas, where there is one: a server beside it may have the same models. */
function speaking(services: readonly LocalService[], path: string): readonly LocalService[] {
  if (!path.startsWith('/api/')) return services
  const ollamas = services.filter(({ identityGroups }) => identityGroups.includes(OLLAMA_API))
  return ollamas.length > 0 ? ollamas : services
}

function notShared(name: string): AppError {
  return new AppError('path_not_shared', `The owner of this node does not share this path of "${name}".`)
}

const isModelList = (name: string, method: string, path: string): boolean =>
  name === 'llm' && (method === 'GET' || method === 'HEAD') && path === '/v1/models'
