import type { ErrorCode } from '#shared/errors.js'
import { ANY_SERVICE_PREFIX, BOOTSTRAPS_PATH, OWN_SERVICE_PREFIX } from '#shared/routes.js'
import type { Method } from '../routes/route.js'
import type { SchemaName } from './schemas.js'

/** Headings of the document. */
export const TAGS = {
  models: 'Models of the whole network, under the addresses OpenAI’s and Anthropic’s clients use.',
  services: 'Any service: chosen by identity group, of this node, or of one peer.',
  network: 'Who is there and what they offer, as the Go implementation shows it.',
  node: 'This node itself.',
} as const

/** What the document says of a route besides its summary. */
export interface RouteDoc {
  tag: keyof typeof TAGS
  /** Schema of a JSON body, for all methods that have one or for each of them. */
  body?: SchemaName | Partial<Record<Method, SchemaName>>
  /** Schema of the answer, and its media type where it is not JSON. */
  answer?: SchemaName | Partial<Record<Method, SchemaName>>
  contentType?: string
  /** Status of a good answer (default 200). */
  status?: Partial<Record<Method, number>>
  /** Errors besides those every route may give. */
  errors?: readonly ErrorCode[]
  query?: Readonly<Record<string, string>>
  /** Headers of the request that choose a provider count here. */
  choosesProvider?: true
  /** Needs the control token as a bearer. */
  needsToken?: true
}

const MODEL_PAGES: Pick<RouteDoc, 'query' | 'errors'> = {
  query: {
    limit: 'Models at most, 1 to 1000; left out: as many as fit into 256 KiB.',
    after: 'The list goes on after this id, the `last_id` of the page before.',
  },
  errors: ['invalid_request'],
}

const FORWARD_ERRORS: readonly ErrorCode[] = [
  ...(['body_too_large', 'provider_busy', 'upstream_failed', 'no_provider'] as const),
  ...(['upstream_timeout', 'loop_detected'] as const),
]
const CHOICE_ERRORS: readonly ErrorCode[] = [
  ...FORWARD_ERRORS,
  ...(['invalid_json', 'missing_model', 'model_not_found', 'service_not_found', 'invalid_service'] as const),
  ...(['beyond_reach', 'context_length_exceeded', 'unsupported_request'] as const),
]

const shortForm = (body?: SchemaName): RouteDoc => ({
  tag: 'models',
  answer: 'Forwarded',
  errors: CHOICE_ERRORS,
  choosesProvider: true,
  ...(body === undefined ? {} : { body }),
})

const table = (answer: SchemaName, query?: RouteDoc['query']): RouteDoc => ({
  tag: 'network',
  answer,
  ...(query === undefined ? {} : { query }),
})

const page = (contentType: string): RouteDoc => ({ tag: 'node', answer: 'Page', contentType })

const UNAVAILABLE: RouteDoc = { tag: 'models', answer: 'Forwarded', errors: ['invalid_request'] }

const ABOUT_RESPONSE: RouteDoc = { tag: 'models', answer: 'Forwarded', errors: ['not_found', ...FORWARD_ERRORS] }

/** By path, as the table of routes writes it. A test holds both together. */
export const ROUTE_DOCS: Readonly<Record<string, RouteDoc>> = {
  '/': page('text/html'),
  '/v1/health': { tag: 'node', answer: 'Health' },
  '/v1/models': { tag: 'models', answer: 'ModelList', ...MODEL_PAGES },
  [`${ANY_SERVICE_PREFIX}llm/v1/models`]: { tag: 'models', answer: 'ModelList', ...MODEL_PAGES },
  '/v1/models/*': { tag: 'models', answer: 'Model', errors: ['model_not_found'] },
  '/v1/chat/completions': shortForm('ChatRequest'),
  '/v1/chat/completions/input_tokens': shortForm('ModelRequest'),
  '/v1/completions': shortForm('ModelRequest'),
  '/v1/embeddings': shortForm('ModelRequest'),
  '/v1/responses': shortForm('ModelRequest'),
  '/v1/responses/input_tokens': shortForm('ModelRequest'),
  '/v1/responses/:id': ABOUT_RESPONSE,
  '/v1/responses/:id/cancel': ABOUT_RESPONSE,
  '/v1/responses/:id/input_items': ABOUT_RESPONSE,
  '/v1/messages': shortForm('ModelRequest'),
  '/v1/messages/count_tokens': shortForm('ModelRequest'),
  '/v1/realtime': { ...shortForm(), query: { model: 'The model to talk to.' } },
  '/v1/rerank': shortForm('ModelRequest'),
  '/v1/reranking': shortForm('ModelRequest'),
  '/v1/batches/*': UNAVAILABLE,
  '/v1/files/*': UNAVAILABLE,
  '/v1/audio/*': shortForm(),
  '/v1/images/*': shortForm(),
  '/api/chat': shortForm('ModelRequest'),
  '/api/generate': shortForm('ModelRequest'),
  '/api/embed': shortForm('ModelRequest'),
  '/api/embeddings': shortForm('ModelRequest'),
  '/api/tags': { tag: 'models', answer: 'Forwarded' },
  '/api/show': { tag: 'models', answer: 'Forwarded', errors: ['invalid_json', 'model_not_found', 'body_too_large'] },
  '/api/ps': { tag: 'models', answer: 'Forwarded', errors: FORWARD_ERRORS },
  '/api/pull': UNAVAILABLE,
  '/api/push': UNAVAILABLE,
  '/api/create': UNAVAILABLE,
  '/api/copy': UNAVAILABLE,
  '/api/delete': UNAVAILABLE,
  '/api/blobs/*': UNAVAILABLE,
  '/api/version': { tag: 'models', answer: 'Forwarded' },
  [`${ANY_SERVICE_PREFIX}:service/*`]: {
    tag: 'services',
    answer: 'Forwarded',
    errors: CHOICE_ERRORS,
    choosesProvider: true,
  },
  [`${OWN_SERVICE_PREFIX}:service/*`]: {
    tag: 'services',
    answer: 'Forwarded',
    errors: [...FORWARD_ERRORS, 'service_not_found', 'invalid_service', 'path_not_shared', 'request_timeout'],
  },
  '/v1/p2p/:peerId/*': { tag: 'services', answer: 'Forwarded', errors: [...FORWARD_ERRORS, 'invalid_peer_id'] },
  '/v1/p2p-service/:peerId/:service/*': {
    tag: 'services',
    answer: 'Forwarded',
    errors: [...FORWARD_ERRORS, 'invalid_peer_id', 'invalid_service'],
  },
  '/v1/self': { tag: 'node', answer: 'Forwarded', errors: ['forbidden_host'] },
  '/v1/probe/echo': { tag: 'network', answer: 'Forwarded', errors: ['body_too_large'] },
  '/v1/probe/run': {
    tag: 'network',
    answer: 'Forwarded',
    errors: [
      'invalid_request',
      'invalid_json',
      'unsupported_media_type',
      'body_too_large',
      'invalid_peer_id',
      'rate_limited',
    ],
  },
  '/.well-known/libp2p/protocols': { tag: 'network', answer: 'Forwarded' },
  '/v1/dnt/table': table('PeerTable', { all: '`1` for every known peer, not only connected ones.' }),
  '/v1/dnt/peers': table('Peers'),
  '/v1/dnt/peers_status': table('PeersStatus'),
  [BOOTSTRAPS_PATH]: table('Bootstraps'),
  '/v1/dnt/stats': table('Stats'),
  '/v1/dnt/_node': {
    tag: 'node',
    body: { POST: 'AddService', DELETE: 'RemoveService' },
    answer: { POST: 'ServiceAdded', DELETE: 'ServicesRemoved' },
    status: { POST: 201 },
    errors: [
      'unauthorized',
      'invalid_json',
      'invalid_request',
      'unsupported_media_type',
      'body_too_large',
      'service_not_found',
    ],
    needsToken: true,
  },
  '/metrics': page('text/plain; version=0.0.4'),
  '/openapi.json': { tag: 'node', answer: 'Forwarded' },
  '/openapi.yaml': page('application/yaml'),
  '/docs': page('text/html'),
  '/docs/:file': { ...page('text/javascript'), errors: ['not_found'] },
}
