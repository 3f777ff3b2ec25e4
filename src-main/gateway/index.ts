import { randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import Koa, { type Context, type Next } from 'koa'
import { AppError, toWireError } from '#shared/errors.js'
import { HandshakeResponse } from '../p2p/http/upgrades.js'
import type { RequestState } from './begin-exchange.js'
import { createCors, isOriginAllowed } from './cors.js'
import type { Door } from './door.js'
import { hasSeveralHosts, isHostAllowed } from './forbidden-host.js'
import { discardRest } from './forward/discard-rest.js'
import { ClientGoneError } from './forward/request-body.js'
import { assertHandshake } from './forward/websocket.js'
import type { GatewayNeeds, GatewayOptions } from './needs.js'
import { createOriginLimits } from './origin-limits.js'
import { createMatcher, remembering, splitTarget, type Route, type RouteMatch } from './route.js'
import { allRoutes } from './routes/index.js'

export type { GatewayNeeds, GatewayOptions, GatewayTiming } from './needs.js'

interface GatewayState extends RequestState {
  match: RouteMatch
}

/** The gateway for one door: one table of routes, open on each door only where the table says so. */
export function createGatewayApp(needs: GatewayNeeds, options: GatewayOptions, door: Door): Koa {
  const log = needs.log.forComponent('gateway')
  const match = remembering(createMatcher(allRoutes(needs, options), door))
  const cors = createCors(options)
  const limits = createOriginLimits()
  const app = new Koa()

  app.on('error', (error: unknown) => log.debug('a response could not be finished', { error }))

  app.use(async function answerErrors(ctx: Context, next: Next) {
    const state = ctx.state as GatewayState
    state.door = door
    state.requestId = requestIdOf(ctx.req.headers['x-request-id'])
    if (door === 'local') ctx.set('X-Request-Id', state.requestId)
    // A peer knows the id it sent, and that streams are kept: both would be bytes in each of its answers.
    else ctx.res.removeHeader('Connection')
    try {
      await next()
    } catch (error) {
      answerError(ctx, error)
    }
    discardRest(ctx.req, ctx.res)
  })

  app.use(async function findRoute(ctx: Context, next: Next) {
    if (hasSeveralHosts(ctx.req.rawHeaders)) {
      ctx.set('Connection', 'close')
      throw new AppError('invalid_request', 'A request names one Host (RFC 9112 §3.2), and this one names several.')
    }
    if (door === 'local' && !isHostAllowed(ctx.req.headers.host, options.bindHost)) {
      throw new AppError('forbidden_host', 'The gateway answers under localhost or an IP address of this machine only.')
    }
    if (ctx.res instanceof HandshakeResponse) admitHandshake(ctx)
    if (door === 'local') countRequest(ctx)
    const state = ctx.state as GatewayState
    state.match = match(wantedMethod(ctx), splitTarget(ctx.req.url ?? '').path)
    if (door === 'local' && answersCors(state.match)) await cors(ctx, next)
    else await next()
  })

  app.use(async function runRoute(ctx: Context) {
    const { match: found } = ctx.state as GatewayState
    if (found.kind === 'found' && ctx.method !== 'OPTIONS') {
      await found.route.handle(ctx, found.params)
      return
    }
    if (found.kind === 'none')
      throw new AppError('not_found', `There is nothing at ${ctx.path.slice(0, 200)}. See /docs.`)
    const allowed = found.kind === 'found' ? found.route.methods : found.allowed
    ctx.set('Allow', [...allowed, 'OPTIONS'].join(', '))
    if (ctx.method === 'OPTIONS') ctx.status = 204
    else throw new AppError('method_not_allowed', `${ctx.method} is not possible here; ${allowed.join(', ')} are.`)
  })

  /** Takes a place for the origin until the answer, or the WebSocket behind it, is over. */
  function countRequest(ctx: Context): void {
    const leave = limits.enter(ctx.req.headers.origin)
    const lasting = ctx.res instanceof HandshakeResponse ? ctx.req.socket : ctx.res
    lasting.once('close', leave)
  }

  /** No CORS holds a web page back from a WebSocket: its origin must be checked here. */
  function admitHandshake(ctx: Context): void {
    assertHandshake(ctx.req.headers)
    const { origin } = ctx.req.headers
    if (door === 'peer' || origin === undefined || isOriginAllowed(origin, options.corsOrigins)) return
    throw new AppError('forbidden_origin', 'Pages of this origin may not use this gateway (cors-origins).')
  }

  function answerError(ctx: Context, error: unknown): void {
    const { requestId } = ctx.state as GatewayState
    if (error instanceof ClientGoneError || ctx.res.destroyed) {
      ctx.respond = false
      ctx.res.destroy()
      return
    }
    if (!(error instanceof AppError)) log.error('a request failed inside this node', { requestId, error })
    if (ctx.res.headersSent) {
      ctx.respond = false
      ctx.res.destroy()
      return
    }
    const wire = toWireError(error, requestId)
    ctx.status = error instanceof AppError ? error.status : 500
    if (error instanceof AppError && error.retryAfterS !== undefined) ctx.set('Retry-After', String(error.retryAfterS))
    // Ollama's clients take a sentence where OpenAI's take an object.
    ctx.body = ctx.path.startsWith('/api/') ? { ...wire.error, error: wire.error.message } : wire
  }

  return app
}

/** The app as a listener for `node:http`. */
export function createGatewayListener(needs: GatewayNeeds, options: GatewayOptions, door: Door): RequestListener {
  const handle = createGatewayApp(needs, options, door).callback()
  // Koa answers every failure itself; its promise never rejects.
  return (request, response) => void handle(request, response)
}

/** Routes as data, for documents and tests. */
export function describeRoutes(needs: GatewayNeeds, options: GatewayOptions): readonly Route[] {
  return allRoutes(needs, options)
}

/** A preflight asks about the method it names. */
function wantedMethod(ctx: Context): string {
  if (ctx.method !== 'OPTIONS') return ctx.method
  return ctx.get('Access-Control-Request-Method').toUpperCase() || 'GET'
}

function answersCors(found: RouteMatch): boolean {
  if (found.kind === 'none') return true
  return found.kind === 'found' ? found.route.cors : found.cors
}

/** Random once a start and counted on: unique, and far cheaper than new randomness for each request. */
const ID_PREFIX = randomBytes(6).toString('base64url')
let requestsSeen = 0

/** The client's own id where it is harmless to repeat, else a new one. */
function requestIdOf(header: string | string[] | undefined): string {
  if (typeof header === 'string' && /^[\w.:-]{1,64}$/.test(header)) return header
  requestsSeen += 1
  return `${ID_PREFIX}${requestsSeen.toString(36)}`
}
