import { randomUUID } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { MAX_KEPT_BYTES } from '#shared/contract/node/chats.js'
import { AppError } from '#shared/errors.js'
import type { MonotonicClock } from '../../base/clock.js'
import type { Service } from '../../base/lifecycle.js'
import { discardRest, type Listening, listenOn, readJson } from '../../gateway/index.js'
import type { Log } from '../../logging/index.js'
import { boundAcceptedSockets, followResponses } from '../../p2p/index.js'
import type { Control } from '../index.js'
import { assertOwnPage, bearerToken, contentSecurityPolicy } from './access.js'
import {
  controlFilePath,
  dashboardLink,
  removeControlFile,
  REPLACE_TOKEN_PATH,
  writeControlFile,
} from './control-file.js'
import { ControlToken } from './control-token.js'
import { createFeedUpgrades, type FeedUpgrades } from './feed-upgrade.js'
import { SECURITY_HEADERS, sendError, sendJson } from './respond.js'
import { encodingFor, listStaticFiles, type StaticFile } from './static-files.js'
import { createTokenGuard } from './token-guard.js'
export { contentSecurityPolicy } from './access.js'
export { listStaticFiles } from './static-files.js'

/** What the control server stands on. */
export interface ControlServerNeeds {
  control: Control
  /** The gateway's base address without `/v1`; null while it has no port. */
  gatewayUrl(): string | null
  log: Log
  monotonic: MonotonicClock
}

/** Where the control server listens and what it shows. */
export interface ControlServerOptions {
  /** 0 for any free one. */
  port: number
  /** Connections at a time; default 256. */
  maxConnections?: number
  /** The built dashboard; null where there is none to show. */
  rendererDir: string | null
  /** Where `control.json` is written for the command line. */
  dataDir: string
}

/** The control interface and the dashboard over loopback HTTP. Not the gateway: no other machine and no other page may use it. */
export interface ControlServer extends Service {
  /** `http://127.0.0.1:8093`, of use while it is started. */
  readonly url: string
  /** The secret that counts now; it lasts over restarts. Never in a URL that is sent: the dashboard gets it behind `#`. */
  readonly token: string
  /**
   * Lets pass a request that carries the token.
   * @throws AppError `unauthorized`, `rate_limited` after too many wrong ones
   */
  authorize(headers: IncomingHttpHeaders): void
  /** The address to open in a browser, the token in its fragment. */
  readonly dashboardUrl: string
}

const MAX_BODY_BYTES = 1024 * 1024
/** All conversations at once, with room for what JSON makes of their text. */
const MAX_BODY_OF = new Map([['chats.save', 2 * MAX_KEPT_BYTES]])
const MAX_CONNECTIONS = 256
const HEADERS_TIMEOUT_MS = 10_000
const CALL_PREFIX = '/api/call/'

/**
 * Serves a {@link Control} and the dashboard. `start` throws `port_in_use` when the port is taken, `port_not_permitted`
 * and `address_not_available`.
 */
export function createControlServer(needs: ControlServerNeeds, options: ControlServerOptions): ControlServer {
  const log = needs.log.forComponent('control')
  const token = new ControlToken({ log }, options)
  const guard = createTokenGuard({ monotonic: needs.monotonic, token: () => token.value })
  const authorize = (headers: IncomingHttpHeaders): void => guard.assert(bearerToken(headers))
  const controlFile = controlFilePath(options.dataDir)
  const server = createServer({
    requestTimeout: 30_000,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // By default Node checks every 30 s, which would give them four times the time.
    connectionsCheckingInterval: HEADERS_TIMEOUT_MS / 10,
  })
  const responses = followResponses(server)
  boundAcceptedSockets(
    server,
    { log, isBusy: (socket) => responses.on(socket) !== undefined },
    { max: options.maxConnections ?? MAX_CONNECTIONS, name: 'dashboard' },
  )
  let files: ReadonlyMap<string, StaticFile> = new Map()
  let upgrades: FeedUpgrades | undefined
  let listening: Listening | undefined
  let stopping: Promise<void> | undefined
  let replacing: Promise<void> = Promise.resolve()

  const port = (): number => listening?.port ?? options.port
  const url = (): string => listening?.url ?? `http://127.0.0.1:${options.port}`

  server.on('request', (request, response) => {
    const requestId = randomUUID()
    handle(request, response).catch((error: unknown) => {
      if (!(error instanceof AppError)) log.error('a control request failed', { requestId, error })
      sendError(response, error, requestId)
      discardRest(request, response)
    })
  })
  server.on('upgrade', (request, socket, head) => {
    upgrades?.handle(request, socket, head, (token) => {
      assertOwnPage(request.headers, port())
      guard.assert(token)
    })
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    assertOwnPage(request.headers, port())
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    if (path.startsWith('/api/')) await handleCall(request, response, path)
    else await sendFile(request, response, path)
  }

  async function handleCall(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    authorize(request.headers)
    if (path === REPLACE_TOKEN_PATH) {
      assertMethod(request, response, ['POST'])
      await replaceToken()
      sendJson(response, 200, { dashboard: dashboardLink({ url: url(), token: token.value }) })
      return
    }
    if (!path.startsWith(CALL_PREFIX)) throw new AppError('not_found', 'There is nothing at this address.')
    assertMethod(request, response, ['POST'])
    const name = path.slice(CALL_PREFIX.length)
    const input = await readJson(request, MAX_BODY_OF.get(name) ?? MAX_BODY_BYTES)
    const output = await needs.control.dispatch(name, input, { capabilities: [] })
    sendJson(response, 200, output)
  }

  const publish = (): Promise<void> =>
    writeControlFile(controlFile, { url: url(), token: token.value, pid: process.pid, gateway: needs.gatewayUrl() })

  /** One after the other, so that the control file has the last one. */
  function replaceToken(): Promise<void> {
    const next = replacing.then(async () => {
      await token.replace()
      upgrades?.disconnectAll()
      await publish()
      log.info('the dashboard has a new link: the one before no longer opens it')
    })
    replacing = next.catch(() => undefined)
    return next
  }

  async function sendFile(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    assertMethod(request, response, ['GET', 'HEAD'])
    const file = files.get(path)
    if (file === undefined) throw new AppError('not_found', notFoundSentence(files.size > 0))
    const encoding = encodingFor(request.headers['accept-encoding'])
    const packed = encoding === undefined ? undefined : await file.packed(encoding)
    const body = packed ?? (await file.read())
    response.writeHead(200, {
      'Content-Type': file.contentType,
      'Content-Length': body.length,
      ...(packed === undefined ? {} : { 'Content-Encoding': encoding }),
      Vary: 'Accept-Encoding',
      'Cache-Control': file.cacheControl,
      'Content-Security-Policy': contentSecurityPolicy({
        feedSocket: `ws://${request.headers.host ?? ''}`,
        gateway: needs.gatewayUrl(),
      }),
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  async function stop(): Promise<void> {
    upgrades?.stop()
    await removeControlFile(controlFile, { url: url(), pid: process.pid })
    if (listening === undefined) return
    const closed = listening.close()
    server.closeAllConnections()
    await closed
  }

  return {
    name: 'control',
    authorize,
    get token() {
      return token.value
    },
    get url() {
      return url()
    },
    get dashboardUrl() {
      return dashboardLink({ url: url(), token: token.value })
    },
    async start(signal) {
      signal.throwIfAborted()
      if (options.rendererDir !== null) files = await listStaticFiles(options.rendererDir)
      await token.load()
      listening = await listenOn(server, { host: 'localhost', port: options.port, setting: 'api-port' }, log)
      upgrades = createFeedUpgrades({ feeds: needs.control.feeds, log })
      try {
        signal.throwIfAborted()
        await publish()
      } catch (error) {
        await stop()
        throw error
      }
      log.info('the dashboard is ready', { url: url() })
    },
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

function assertMethod(request: IncomingMessage, response: ServerResponse, allowed: readonly string[]): void {
  if (allowed.includes(request.method ?? '')) return
  response.setHeader('Allow', allowed.join(', '))
  throw new AppError('method_not_allowed', `Use ${allowed.join(' or ')} here.`)
}

function notFoundSentence(built: boolean): string {
  return built ? 'There is nothing at this address.' : 'The dashboard is not built yet. Run `npm run build` once.'
}
