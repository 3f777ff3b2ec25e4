import type { Context } from 'koa'
import { AppError } from '#shared/errors.js'
import { HandshakeResponse } from '../../p2p/http/upgrades.js'
import { isPathShared, OLLAMA_API, WEBSOCKET, type LocalService } from '../../services/index.js'
import { listModels } from '../models-list.js'
import { forwardExchange, keepClientAwake, type RequestState } from '../begin-exchange.js'
import { modelOf, serviceForModel } from '../forward/service-for-model.js'
import { createSharedUse } from '../shared-use.js'
import type { Door } from '../door.js'
import { noProvider } from '../forward/failures.js'
import { hasBody, readRoutingBody, withoutBody, type RequestBody } from '../forward/request-body.js'
import type { GatewayNeeds, GatewayOptions } from '../needs.js'
import { FORWARDED_METHODS, splitTarget, type Route } from '../route.js'
import { parseServiceName } from '../service-name.js'

export function ownServiceRoutes(needs: GatewayNeeds, options: GatewayOptions): Route[] {
  const { registry } = needs
  const sharedUse = createSharedUse(needs, options)

  function connectedServices(name: string, door: Door): readonly LocalService[] {
    const visible = (service: LocalService): boolean => door === 'local' || service.published
    const connected = registry.connected(name).filter(visible)
    if (connected.length > 0) return connected
    const registered = registry.list().some((service) => service.name === name && visible(service))
    if (registered) throw noProvider(`The service "${name}"`, ['its server does not answer'])
    throw new AppError('service_not_found', `This node has no service "${name}".`, { param: 'service' })
  }

  /** Reads the body only where the model in it decides something: several servers, or ids that differ. */
  async function bodyFor(ctx: Context, services: readonly LocalService[]): Promise<RequestBody> {
    const modelDecides = services.length > 1 || services.some((service) => service.serverModelIds.size > 0)
    if (modelDecides) return await readRoutingBody(ctx.req, { maxBytes: options.maxBodyBytes, identityKnown: false })
    return hasBody(ctx.req) ? { kind: 'stream', stream: ctx.req } : withoutBody(ctx.req)
  }

  return [
    {
      methods: FORWARDED_METHODS,
      path: '/v1/_service/:service/*',
      doors: ['local', 'peer'],
      cors: true,
      summary: 'The service registered on this node; to a peer only the paths that are shared.',
      handle(ctx, params) {
        const name = parseServiceName(params['service'] ?? '')
        const { door } = ctx.state as RequestState
        const { query } = splitTarget(ctx.req.url ?? '')
        const rest = params['rest'] || '/'
        const about = { service: name, route: '/v1/_service/:service/*' }
        if (door === 'peer') {
          const method = ctx.res instanceof HandshakeResponse ? WEBSOCKET : ctx.method
          const shared = (): readonly LocalService[] => {
            const services = speaking(connectedServices(name, door), rest).filter((service) =>
              isPathShared(service.sharedPaths, method, rest),
            )
            if (services.length === 0) throw notShared(name)
            return services
          }
          if (isModelList(name, method, rest)) {
            shared()
            needs.admission.check(sharedUse.peerOf(ctx))
            // Never the server's own list: it holds what is not shared, and paths on the owner's disk.
            ctx.body = { object: 'list', data: listModels({ ...needs, peerId: needs.host.peerId }, door) }
            return undefined
          }
          return forwardExchange(needs, ctx, about, (exchange) =>
            sharedUse.serve(ctx, exchange, { name, path: rest, query, services: shared() }),
          )
        }
        return forwardExchange(needs, ctx, about, async (exchange) => {
          const services = speaking(connectedServices(name, door), rest)
          exchange.body = await bodyFor(ctx, services)
          const service = serviceForModel(services, exchange.body)
          const model = modelOf(exchange.body)
          if (model !== undefined) exchange.traffic.update({ model })
          keepClientAwake(exchange, name, rest, options.timing?.commentEveryMs)
          await needs.forwarder.toLocalService(exchange, service, `${rest}${query}`)
        })
      },
    },
  ]
}

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
