import { ERRORS, type ErrorCode } from '#shared/errors.js'
import type { Method, Route } from '../routes/route.js'
import { ROUTE_DOCS, TAGS, type RouteDoc } from './route-docs.js'
import { componentSchemas, schemaRef, type SchemaName } from './schemas.js'

/** Errors any route may give. */
const COMMON_ERRORS: readonly ErrorCode[] = ['forbidden_host', 'forbidden_origin', 'method_not_allowed', 'internal']

const TOKEN = 'controlToken'
const HAS_BODY: ReadonlySet<Method> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** The local listener as an OpenAPI 3.1 document; every route of it is in it. */
export function openApiDocument(routes: readonly Route[], options: { version: string }): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes.filter(({ listeners }) => listeners.includes('local'))) {
    const path = openApiPath(route.path)
    const operations = (paths[path] ??= { parameters: pathParameters(route.path) })
    for (const method of route.methods) operations[method.toLowerCase()] = operationOf(route, method)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Open Compute gateway',
      version: options.version,
      summary: 'The models of a peer-to-peer network under one OpenAI-compatible address.',
      description:
        'Clients of OpenAI’s and Anthropic’s APIs need nothing but this base URL. Answers of other servers pass unchanged; ' +
        'errors of this gateway have one shape, and their codes are a closed list.',
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This node.' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: componentSchemas(),
      headers: ANSWER_HEADERS,
      securitySchemes: {
        [TOKEN]: {
          type: 'http',
          scheme: 'bearer',
          description: 'The token of control.json in the data folder; only requests that change this node need it.',
        },
      },
    },
  }
}

/** `/v1/_service/:service/*` → `/v1/_service/{service}/{path}`. */
export function openApiPath(path: string): string {
  return path
    .split('/')
    .map((segment) => (segment === '*' ? '{path}' : segment.startsWith(':') ? `{${segment.slice(1)}}` : segment))
    .join('/')
}

const PARAMETERS: Readonly<Record<string, string>> = {
  path: 'The rest of the path; it may hold slashes and passes as it was sent.',
  service: 'Name of a service: `llm` for models.',
  peerId: 'A peer id: 12D3KooW….',
  file: 'A file of the documentation page.',
}

function pathParameters(path: string): object[] {
  return [...openApiPath(path).matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: PARAMETERS[name] ?? '',
    schema: { type: 'string' },
  }))
}

function operationOf(route: Route, method: Method): object {
  const doc: RouteDoc | undefined = ROUTE_DOCS[route.path]
  const body = HAS_BODY.has(method) ? chosen(doc?.body, method) : undefined
  const takesAnyBody = HAS_BODY.has(method) && doc?.answer === 'Forwarded' && body === undefined
  return {
    operationId: `${method.toLowerCase()}${route.path.replaceAll('*', 'any').replaceAll(/[^\w]+/g, '_')}`,
    tags: doc === undefined ? [] : [doc.tag],
    summary: route.summary,
    ...(doc?.needsToken === true ? { security: [{ [TOKEN]: [] }] } : {}),
    parameters: [...queryParameters(doc), ...(doc?.choosesProvider === true ? CHOICE_HEADERS : [])],
    ...(body === undefined
      ? takesAnyBody
        ? { requestBody: { content: { '*/*': {} } } }
        : {}
      : { requestBody: { required: true, content: { 'application/json': { schema: schemaRef(body) } } } }),
    responses: { ...goodAnswer(doc, method), ...errorAnswers([...COMMON_ERRORS, ...(doc?.errors ?? [])]) },
  }
}

function queryParameters(doc: RouteDoc | undefined): object[] {
  return Object.entries(doc?.query ?? {}).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: { type: 'string' },
  }))
}

function goodAnswer(doc: RouteDoc | undefined, method: Method): Record<string, object> {
  const status = String(doc?.status?.[method] ?? 200)
  const schema = chosen(doc?.answer, method)
  const isForwarded = schema === 'Forwarded' && doc?.tag !== 'node'
  const contentType = doc?.contentType ?? (isForwarded ? '*/*' : 'application/json')
  return {
    [status]: {
      description: isForwarded ? 'The answer of the server that was asked, with its own status.' : 'As asked.',
      headers: isForwarded ? FORWARDED_HEADERS : { 'X-Request-Id': headerRef('X-Request-Id') },
      ...(method === 'HEAD' || schema === undefined
        ? {}
        : { content: { [contentType]: { schema: schemaRef(schema) } } }),
    },
  }
}

/** One answer for each status, with the codes that have it. */
function errorAnswers(codes: readonly ErrorCode[]): Record<string, object> {
  const byStatus = Map.groupBy(new Set(codes), (code) => ERRORS[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      String(status),
      {
        description: same.map((code) => `\`${code}\``).join(', '),
        ...(status === 429 || status === 503 ? { headers: { 'Retry-After': headerRef('Retry-After') } } : {}),
        content: { 'application/json': { schema: schemaRef('ErrorAnswer') } },
      },
    ]),
  )
}

function chosen(
  schema: SchemaName | Partial<Record<Method, SchemaName>> | undefined,
  method: Method,
): SchemaName | undefined {
  return typeof schema === 'object' ? schema[method] : schema
}

const header = (description: string): object => ({ description, schema: { type: 'string' } })
const ANSWER_HEADERS = {
  'X-Request-Id': header('Names the request in logs, errors and the traffic list.'),
  'X-Computing-Node': header('Peer id of who served it.'),
  'X-Ocf-Tries': header('Providers tried, the one that answered included.'),
  'X-Ocf-Sent-To': header('Other machines that got to read the request.'),
  'X-Ocf-Route': header(
    'The best providers, in the order they were to be tried, each by the end of its peer id, with the milliseconds that were expected of it: `Xy8gZ3;ms=812;read=600;queue=150;unread=2048`.',
  ),
  'Server-Timing': header('Milliseconds: select, connect, ttfb.'),
  'Retry-After': header('Seconds to wait.'),
}

const headerRef = (name: keyof typeof ANSWER_HEADERS): object => ({ $ref: `#/components/headers/${name}` })
const FORWARDED_HEADERS = Object.fromEntries(
  (['X-Request-Id', 'X-Computing-Node', 'X-Ocf-Tries', 'X-Ocf-Sent-To', 'X-Ocf-Route', 'Server-Timing'] as const).map(
    (name) => [name, headerRef(name)],
  ),
)

const CHOICE_HEADERS: readonly object[] = [
  {
    name: 'X-Ocf-Identity-Group',
    in: 'header',
    description: '`key=value`: chooses the provider where the body can’t.',
    schema: { type: 'string' },
  },
  {
    name: 'X-Ocf-Fallback',
    in: 'header',
    description: '`1` also takes providers of `key=*`, `2` those of `all`.',
    schema: { type: 'string', enum: ['0', '1', '2'] },
  },
]
