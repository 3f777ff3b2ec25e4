import http, { type RequestListener, STATUS_CODES } from 'node:http'
import { AppError, toWireError } from '#shared/errors.js'
import type { Log } from '../../logging/index.js'
import { boundAcceptedSockets, acceptUpgrades, followResponses, isWebSocketHandshake } from '../../p2p/index.js'
import { newRequestId } from './arrival.js'
import { acceptHalfClosed } from './half-closed.js'
import type { DrainableListener } from './listeners.js'
import { type Listening, listenOn } from './loopbacks.js'
import { errorBody, type ModelApi, modelApiOf } from './model-api.js'

/** The gateway's own port on this machine. */
export interface LocalListener extends DrainableListener {
  /** `http://127.0.0.1:8092`; undefined while it does not listen. */
  readonly url: string | undefined
}

const KEEP_ALIVE_MS = 65_000
const HEADERS_TIMEOUT_MS = 30_000
/** Checks for slow headers in one time-out, so they are cut at most that part of it late. */
const CHECKS_IN_TIMEOUT = 10
const MAX_HEADER_BYTES = 32 * 1024
/** Where nothing else is said; each takes a descriptor and some memory. */
const MAX_CONNECTIONS = 10_000

/**
 * Listens for this machine's apps; `headersTimeoutMs` is how long they may take to send a request's headers,
 * `maxConnections` how many connections there may be at a time.
 * @throws AppError `port_in_use`, `port_not_permitted`, `address_not_available` from start
 */
export function createLocalListener(
  needs: { handler: RequestListener; log: Log },
  options: { host: string; port: number; headersTimeoutMs?: number | undefined; maxConnections?: number },
): LocalListener {
  const log = needs.log.forComponent('gateway')
  const { host, port: wanted, headersTimeoutMs = HEADERS_TIMEOUT_MS, maxConnections = MAX_CONNECTIONS } = options
  const server = http.createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: headersTimeoutMs,
      // By default Node checks every 30 s, which would give them twice the time.
      connectionsCheckingInterval: headersTimeoutMs / CHECKS_IN_TIMEOUT,
      // Bodies may stream for as long as they move.
      requestTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
      noDelay: true,
      shouldUpgradeCallback: isWebSocketHandshake,
      // Refused like all that is refused, and not by Node in words of no interface.
      requireHostHeader: false,
    },
    needs.handler,
  )
  const responses = followResponses(server)
  acceptHalfClosed(server, responses)
  const upgrades = acceptUpgrades(server, needs.handler)
  boundAcceptedSockets(
    server,
    { log, isBusy: (socket) => responses.on(socket) !== undefined },
    { max: maxConnections, name: 'gateway' },
  )
  // An expectation other than 100-continue may be passed over (RFC 9110 §10.1.1); Node would refuse the request.
  server.on('checkExpectation', (request, response) => void server.emit('request', request, response))
  server.on('clientError', (error: ParseError, socket) => {
    const midway = responses.on(socket)?.headersSent === true
    if (error.code === 'ECONNRESET' || !socket.writable || midway) socket.destroy()
    else socket.end(malformedRequestAnswer(error), () => socket.destroy())
  })
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy())
    socket.end(rawAnswer('openai', 405, new AppError('method_not_allowed', NO_PROXY)), () => socket.destroy())
  })
  let listening: Listening | undefined
  let stopping: Promise<void> | undefined

  function close(): Promise<void> {
    stopping ??= listening?.close() ?? Promise.resolve()
    listening = undefined
    return stopping
  }

  return {
    name: 'local-listener',
    get url() {
      return listening?.url
    },
    async start() {
      listening = await listenOn(server, { host, port: wanted, setting: 'port' }, log)
      log.info('the gateway listens', { url: listening.url })
    },
    async drain(graceMs) {
      void close()
      await responses.drain(graceMs)
    },
    async stop() {
      const closed = close()
      server.closeAllConnections()
      upgrades.destroyAll()
      await closed
    },
  }
}

const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** As Node's parser reports it: with the bytes it was reading. */
interface ParseError extends NodeJS.ErrnoException {
  rawPacket?: Buffer
}

/** The whole answer, as bytes for the socket, to something that is no HTTP request or an ambiguous one. */
function malformedRequestAnswer(error: ParseError): string {
  const status = STATUS_OF[error.code ?? ''] ?? 400
  const sentence = `This is not a well-formed HTTP request (${STATUS_CODES[status] ?? 'Bad Request'}).`
  const [, target = ''] = /^[A-Z]+ (\S+) HTTP/.exec(error.rawPacket?.toString('latin1') ?? '') ?? []
  return rawAnswer(modelApiOf(target, {}), status, new AppError('invalid_request', sentence))
}

/** To who takes the gateway for a proxy of the web, as `https_proxy` names one. */
const NO_PROXY =
  'The gateway is no proxy: it opens no connections to other addresses. Take it out of HTTPS_PROXY; clients are given its base URL.'

/** A whole answer, as bytes for a socket that has no response. */
function rawAnswer(api: ModelApi, status: number, error: AppError): string {
  const requestId = newRequestId()
  const body = JSON.stringify(errorBody(api, status, toWireError(error, requestId)))
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    ...(api === 'anthropic' ? [`Request-Id: ${requestId}`] : []),
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
