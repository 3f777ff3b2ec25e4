import { OWN_SERVICE_PREFIX } from '#shared/routes.js'
import type { PeerClients } from '../../p2p/http/peer-clients.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { AttemptTarget } from './attempt.js'
import type { Provider } from '../routing/choose-providers.js'
import type { Exchange } from './exchange.js'
import { headerPolicyOf, requestHeaders, type HeaderPolicy, type Headers } from './headers.js'
import { HOPS_HEADER } from './hops.js'
import type { LocalClients } from './local-clients.js'
import { hidingIds, privateIdsOf } from '../body/private-ids.js'
import { withServerModelId, withServerModelIdInQuery } from '../body/server-model-id.js'
import { handshakeHeaders } from './websocket.js'

/** A request for a service of whoever offers it. */
export interface ServiceRequest {
  service: string
  /** Raw path and query behind the service's name. */
  path: string
  /** For sentences: `model "llama3.2"`. */
  what: string
}

/** One try: where, with which body, and what its answer may mean. */
export interface TryPlan {
  provider: Provider
  target: AttemptTarget
  body: Exchange['body']
  mayRefuse: boolean
  /** True for requests to models: none of them changes anything, whatever the method. */
  changesNothing: boolean
}

/** Where exchanges go, and what is said there. */
export interface Targets {
  /** A try at one of several providers, who may refuse; undefined where the service was withdrawn this moment. */
  ofProvider(exchange: Exchange, request: ServiceRequest, provider: Provider): TryPlan | undefined
  /** The only try, at this machine's own service. */
  ofService(exchange: Exchange, service: LocalService, path: string): TryPlan
  /** The only try, at another peer's door. */
  ofPeer(exchange: Exchange, peerId: string, path: string): TryPlan
}

export function createTargets(needs: {
  peerClients: PeerClients
  localClients: LocalClients
  registry: Pick<ServiceRegistry, 'get' | 'apiKey'>
}): Targets {
  const { peerClients, localClients, registry } = needs

  function peerTarget(exchange: Exchange, peerId: string, path: string, policy: HeaderPolicy): AttemptTarget {
    return {
      client: peerClients.to(peerId),
      path,
      policy,
      headers: outgoingHeaders(exchange, policy, { host: peerId }),
    }
  }

  function localTarget(exchange: Exchange, service: LocalService, path: string): AttemptTarget {
    const policy = exchange.door === 'local' ? 'own' : headerPolicyOf(service.name)
    const key = registry.apiKey(service.id)
    const server = localClients.to(service)
    return {
      client: exchange.door === 'peer' ? hidingIds(server, privateIdsOf(service)) : server,
      path: withServerModelIdInQuery(serverPath(service, path), exchange.body, service),
      policy,
      headers: outgoingHeaders(exchange, policy, {
        host: `${service.host.includes(':') ? `[${service.host}]` : service.host}:${service.port}`,
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      }),
    }
  }

  function servicePlan(exchange: Exchange, service: LocalService, path: string): Omit<TryPlan, 'mayRefuse'> {
    return {
      provider: { kind: 'self', serviceId: service.id },
      target: localTarget(exchange, service, path),
      body: withServerModelId(exchange.body, service),
      changesNothing: service.name === 'llm',
    }
  }

  return {
    ofProvider(exchange, request, provider) {
      if (provider.kind === 'peer') {
        const path = `${OWN_SERVICE_PREFIX}${request.service}${request.path}`
        const target = peerTarget(exchange, provider.peerId, path, headerPolicyOf(request.service))
        const changesNothing = request.service === 'llm'
        return { provider, target, body: exchange.body, mayRefuse: true, changesNothing }
      }
      const service = registry.get(provider.serviceId)
      return service === undefined
        ? undefined
        : { ...servicePlan(exchange, service, request.path), provider, mayRefuse: true }
    },
    ofService: (exchange, service, path) => ({ ...servicePlan(exchange, service, path), mayRefuse: false }),
    ofPeer(exchange, peerId, path) {
      const target = peerTarget(exchange, peerId, path, 'generic')
      const provider: Provider = { kind: 'peer', peerId }
      return { provider, target, body: exchange.body, mayRefuse: false, changesNothing: false }
    },
  }
}

/** Most servers have their OpenAI paths at `/v1/`, some under a prefix of their own. */
function serverPath({ basePath = '' }: LocalService, path: string): string {
  return path.startsWith('/v1/') ? `${basePath}${path}` : path
}

function outgoingHeaders(exchange: Exchange, policy: HeaderPolicy, ours: Headers): Headers {
  const headers = requestHeaders(exchange.request.headers, policy)
  if (exchange.reply.isHandshake) Object.assign(headers, handshakeHeaders(exchange.request.headers, policy))
  // The client states the length of a body it holds; of a streamed one it needs to be told.
  if (exchange.body.kind !== 'stream') delete headers['content-length']
  if (exchange.body.kind === 'read' && exchange.body.contentType !== undefined) {
    headers['content-type'] = exchange.body.contentType
  }
  Object.assign(headers, ours)
  headers[HOPS_HEADER] = exchange.hops
  headers['x-request-id'] = exchange.requestId
  return headers
}
