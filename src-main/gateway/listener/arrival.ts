import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError, toWireError } from '#shared/errors.js'
import type { Log } from '../../logging/index.js'
import { HandshakeResponse, requestSource } from '../../p2p/index.js'
import type { KeyHolder } from '../../services/secrets/index.js'
import { ClientGoneError } from '../body/read-body.js'
import type { HostName } from './host-name.js'
import type { Listener } from './listeners.js'
import { errorBody, type ModelApi, modelApiOf } from './model-api.js'
import type { Caller } from './page-rules.js'

/** A request as it came in at a listener, with where its answer goes. */
export class Arrival {
  readonly listener: Listener
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The client's own id where it sent one that is harmless to repeat. */
  readonly requestId: string
  /** What its Host is to the gateway; at the peer listener a Host says nothing, and this stays `own`. */
  hostName: HostName = 'own'
  /** Who sent it, once that is judged; a peer is a program. */
  caller: Caller = 'program'
  /** Whose API key it carries; undefined where it carries none that is valid. */
  keyHolder: KeyHolder | undefined
  /** It carried something that looks like one. */
  carriedKey = false

  constructor(listener: Listener, request: IncomingMessage, response: ServerResponse) {
    this.listener = listener
    this.request = request
    this.response = response
    this.requestId = requestIdOf(request.headers['x-request-id'])
  }

  /** The raw request target: path and query as they were sent. */
  get url(): string {
    return this.request.url ?? ''
  }

  get method(): string {
    return this.request.method ?? 'GET'
  }

  /** The method a route is looked for with: a preflight asks about the one it names. */
  get wantedMethod(): string {
    if (this.method !== 'OPTIONS') return this.method
    const wanted = this.request.headers['access-control-request-method']
    return wanted === undefined || wanted === '' ? 'GET' : wanted.toUpperCase()
  }

  /** The address group or relay that a peer's request comes from; empty at the local listener. */
  get source(): string {
    return requestSource(this.request)
  }

  /** The interface it speaks. */
  get api(): ModelApi {
    return modelApiOf(this.url, this.request.headers)
  }

  /** True when the client asks for a WebSocket. */
  get isHandshake(): boolean {
    return this.response instanceof HandshakeResponse
  }
}

/**
 * Makes the origin form of an absolute request target, as a client sends it to what it takes for a proxy. Its authority
 * counts, and whatever `Host` says does not (RFC 9112 §3.2.2).
 */
export function acceptAbsoluteForm(request: IncomingMessage): void {
  const target = request.url ?? ''
  if (target.startsWith('/')) return
  const [, authority, rest = ''] = /^https?:\/\/([^/?#]+)(.*)$/is.exec(target) ?? []
  if (authority === undefined) return
  request.headers.host = authority
  request.url = rest.startsWith('/') ? rest : `/${rest}`
}

/** Random once a start and counted on: unique, and far cheaper than new randomness for each request. */
const ID_PREFIX = randomBytes(6).toString('base64url')
let requestsSeen = 0

function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[\w.:-]{1,64}$/.test(header) ? header : newRequestId()
}

/** An id that no other request has. */
export function newRequestId(): string {
  requestsSeen += 1
  return `${ID_PREFIX}${requestsSeen.toString(36)}`
}

/** Answers a request with what went wrong; cuts its connection where something was sent already or the client is gone. */
export function answerError(arrival: Arrival, error: unknown, log: Log): void {
  const { response, requestId, api } = arrival
  if (error instanceof ClientGoneError || response.destroyed) {
    response.destroy()
    return
  }
  if (!(error instanceof AppError)) log.error('a request failed inside this node', { requestId, error })
  if (response.headersSent) {
    response.destroy()
    return
  }
  const status = error instanceof AppError ? error.status : 500
  if (error instanceof AppError && error.retryAfterS !== undefined) {
    response.setHeader('Retry-After', String(error.retryAfterS))
  }
  answerJson(arrival, status, errorBody(api, status, toWireError(error, requestId)))
}

/** Answers with a value as JSON, beside whatever headers the response has already. */
export function answerJson({ response, requestId, listener, api }: Arrival, status: number, value: unknown): void {
  const body = JSON.stringify(value)
  if (listener === 'local') response.setHeader('X-Request-Id', requestId)
  if (listener === 'local' && api === 'anthropic') response.setHeader('Request-Id', requestId)
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.statusCode = status
  response.end(body)
}

/** After the answer, how long the rest of a request body may still come before its connection is cut. */
const DISCARD_MS = 2_000

/**
 * Throws away the rest of a body that the client is still sending after its answer, so that it gets to read the answer:
 * closing while unread bytes are left would reset the connection and may take the answer with it. So there is no
 * `Connection: close` either; a client that stops in time keeps its connection.
 */
export function discardRest(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || request.destroyed) return
  request.resume()
  const limit = (): void => {
    if (request.complete) return
    const timer = setTimeout(() => request.destroy(), DISCARD_MS)
    timer.unref()
    request.once('close', () => clearTimeout(timer))
  }
  if (response.writableFinished) limit()
  else response.once('finish', limit)
}
