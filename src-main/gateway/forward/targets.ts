import type { TrafficCandidate } from '#shared/contract/node/traffic.js'
import { AppError } from '#shared/errors.js'
import { OWN_SERVICE_PREFIX } from '#shared/routes.js'
import type { HttpClient } from '../../http-client/index.js'
import type { PeerClients } from '../../p2p/index.js'
import { authorityOf, type LocalService, type ServiceRegistry } from '../../services/index.js'
import { hidingNames } from '../body/answer-filter.js'
import { privateNamesOf } from '../body/private-names.js'
import { modelOf, type RequestBody } from '../body/request-body.js'
import { withServerModelId, withServerModelIdInQuery } from '../body/server-model-ids.js'
import { newRequestId } from '../listener/arrival.js'
import type { Provider } from '../routing/choose-providers.js'
import type { RequestWork } from '../routing/estimate/request-work.js'
import type { AnswerKind } from '../routing/patience.js'
import type { Exchange } from './exchange.js'
import { type HeaderPolicy, headerPolicyOf, type Headers, HOPS_HEADER, requestHeaders } from './headers.js'
import type { LocalClients } from './local-clients.js'
import { handshakeHeaders } from './websocket.js'

/** A request for a service, at any provider of it. */
export interface ServiceRequest {
  service: string
  /** Raw path and query behind the service's name. */
  path: string
  /** For sentences: `model "llama3.2"`. */
  what: string
  /** What it asks of a provider. */
  work: RequestWork
  /** The peers it may go to, and what was expected of each. */
  considered: readonly TrafficCandidate[]
  /** Who comes next where those of these ids, peers and own services, have not answered; without it the order stays. */
  chooseAgain?: ((asked: ReadonlySet<string>) => readonly Provider[]) | undefined
  /** Looks for others where nobody is left; without it there are none. */
  findMore?: ((asked: ReadonlySet<string>) => Promise<readonly Provider[]>) | undefined
}

/** Where one attempt goes and what it says there. */
export interface AttemptTarget {
  client: Pick<HttpClient, 'send'>
  /** Raw path and query, exactly as it shall arrive. */
  path: string
  headers: Headers
  /** Which of the answer's headers the client gets to see. */
  policy: HeaderPolicy
}

/** One attempt: where, with which body, and what its answer may mean. */
export interface AttemptPlan {
  provider: Provider
  /** Of a request that any provider may answer. */
  offer?: string
  work?: RequestWork
  target: AttemptTarget
  body: Exchange['body']
  mayRefuse: boolean
  /** Path and model of a request to a model: event streams of one kind end in the same way. */
  streamKind?: string | undefined
  /** What the answer is compared with: a model's, from a peer. Others may take what time they like. */
  kind?: AnswerKind | undefined
  /** True for requests to models: none of them changes anything, whatever the method. */
  changesNothing: boolean
}

/** Where exchanges go, and what is said there. */
export interface Targets {
  /** An attempt at one of several providers, who may refuse; undefined where the service was withdrawn this moment. */
  ofProvider(exchange: Exchange, request: ServiceRequest, provider: Provider): AttemptPlan | undefined
  /** An attempt at this machine's own service; `mayRefuse` where another one is there to be asked next. */
  ofService(exchange: Exchange, service: LocalService, path: string, mayRefuse: boolean): AttemptPlan
  /** The only attempt, at another peer's listener. */
  ofPeer(exchange: Exchange, peerId: string, path: string): AttemptPlan
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
      headers: outgoingHeaders(exchange, policy, { host: peerId, requestId: exchange.requestId }),
    }
  }

  function localTarget(exchange: Exchange, service: LocalService, path: string): AttemptTarget {
    const policy = exchange.listener === 'local' ? 'own' : headerPolicyOf(service.name)
    const key = registry.apiKey(service.id)
    const server = localClients.to(service)
    return {
      client: exchange.listener === 'peer' ? hidingNames(server, privateNamesOf(service)) : server,
      path: withServerModelIdInQuery(serverPath(service, path), exchange.body, service),
      policy,
      headers: outgoingHeaders(exchange, policy, {
        host: authorityOf(service),
        key,
        // Servers end or mix up requests of one id: a peer must not choose it, and each attempt has its own.
        requestId: exchange.listener === 'peer' ? newRequestId() : exchange.requestId,
      }),
    }
  }

  function servicePlan(exchange: Exchange, service: LocalService, path: string): Omit<AttemptPlan, 'mayRefuse'> {
    return {
      provider: { kind: 'self', serviceId: service.id },
      target: localTarget(exchange, service, path),
      body: withServerModelId(exchange.body, service),
      streamKind: streamKindOf(exchange, service.name, path),
      changesNothing: service.name === 'llm',
    }
  }

  return {
    ofProvider(exchange, request, provider) {
      if (provider.kind === 'peer') {
        const path = `${OWN_SERVICE_PREFIX}${request.service}${request.path}`
        const target = peerTarget(exchange, provider.peerId, path, headerPolicyOf(request.service))
        const changesNothing = request.service === 'llm'
        const streamKind = streamKindOf(exchange, request.service, request.path)
        return {
          provider,
          offer: request.work.offer,
          work: request.work,
          target,
          body: exchange.body,
          mayRefuse: true,
          streamKind,
          changesNothing,
          kind: changesNothing ? answerKind(exchange, request, provider.peerId) : undefined,
        }
      }
      const service = registry.get(provider.serviceId)
      return service === undefined
        ? undefined
        : { ...servicePlan(exchange, service, request.path), provider, mayRefuse: true }
    },
    ofService: (exchange, service, path, mayRefuse) => ({ ...servicePlan(exchange, service, path), mayRefuse }),
    ofPeer(exchange, peerId, path) {
      const target = peerTarget(exchange, peerId, path, 'generic')
      const provider: Provider = { kind: 'peer', peerId }
      return { provider, target, body: exchange.body, mayRefuse: false, changesNothing: false }
    },
  }
}

function streamKindOf({ body }: Exchange, service: string, path: string): string | undefined {
  const model = service === 'llm' ? modelOf(body) : undefined
  return model === undefined ? undefined : `${path.split('?', 1)[0]}\0${model}`
}

function answerKind({ body }: Exchange, { work, path }: ServiceRequest, peerId: string): AnswerKind {
  const stream = body.kind === 'read' ? body.json?.scalar('stream') : undefined
  // Ollama's answers are streamed unless asked otherwise.
  return { peerId, offer: work.offer, isStreamed: stream === true || (stream !== false && path.startsWith('/api/')) }
}

/** Most servers have their OpenAI paths at `/v1/`, some under a prefix of their own. */
function serverPath({ basePath = '' }: LocalService, path: string): string {
  return path.startsWith('/v1/') ? `${basePath}${path}` : path
}

/** What is said to a target beside what the client said. */
interface OwnWords {
  host: string
  /** The server's API key. */
  key?: string | undefined
  requestId: string
}

/** Headers are never deleted or copied here: V8 would turn the object into a hash table, which is several times slower. */
function outgoingHeaders(exchange: Exchange, policy: HeaderPolicy, { host, key, requestId }: OwnWords): Headers {
  const { body, request, reply } = exchange
  const isRead = body.kind === 'read'
  const headers = requestHeaders(request.headers, policy, {
    // The HTTP client knows the length of a body it holds; of a streamed one only this header says it.
    length: body.kind === 'stream',
    coding: !isRead || body.unpacked !== true,
  })
  if (reply.isHandshake) Object.assign(headers, handshakeHeaders(request.headers, policy))
  if (isRead && body.contentType !== undefined) headers['content-type'] = body.contentType
  headers['host'] = host
  if (key !== undefined) headers['authorization'] = `Bearer ${key}`
  headers[HOPS_HEADER] = exchange.hops
  headers['x-request-id'] = requestId
  return headers
}

/** The services that have the model the request names; the first of all where it names none, or one they all lack. */
export function servicesForModel(services: readonly LocalService[], body: RequestBody): readonly LocalService[] {
  const model = modelOf(body)
  const matches = services.filter((service) => service.identityGroups.includes(`model=${model}`))
  if (matches.length > 0) return matches
  const [first] = services
  if (first === undefined) throw new AppError('service_not_found', 'This node has no such service.')
  return [first]
}
