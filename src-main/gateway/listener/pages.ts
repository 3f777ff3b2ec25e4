import type { IncomingMessage, ServerResponse } from 'node:http'
import cors from '@koa/cors'
import Koa, { type Context, type Middleware, type Next } from 'koa'
import { AppError } from '#shared/errors.js'
import type { Settings } from '../../config/index.js'
import type { Log } from '../../logging/index.js'
import { FORWARDED_METHODS, type RouteMatch } from '../routes/route.js'
import type { ApiKeyCheck } from './api-keys.js'
import { answerError, type Arrival, discardRest } from './arrival.js'
import { isModelApi, isOriginAllowed } from './page-rules.js'

/** Answers a request of which the route is known, by Koa: whatever is not forwarded, and all that web pages ask. */
export type Pages = (arrival: Arrival, match: RouteMatch) => void

/** What every request to Koa carries in `ctx.state`. */
export interface PageState {
  arrival: Arrival
  match: RouteMatch
}

export function createPages(
  needs: { log: Log; apiKeys: Pick<ApiKeyCheck, 'assert'> },
  options: { settings: Readonly<Pick<Settings, 'cors-origins'>> },
): Pages {
  const { log } = needs
  const cors = createCors(options)
  const states = new WeakMap<IncomingMessage, PageState>()
  const app = new Koa()

  app.on('error', (error: unknown) => log.debug('a response could not be finished', { error }))

  app.use(async function answerErrors(ctx: Context, next: Next) {
    const state = states.get(ctx.req)
    if (state === undefined) throw new Error('a request came past the listener')
    Object.assign(ctx.state, state)
    const { arrival } = state
    if (arrival.listener === 'local') ctx.set('X-Request-Id', arrival.requestId)
    if (arrival.listener === 'local' && arrival.api === 'anthropic') ctx.set('Request-Id', arrival.requestId)
    try {
      await next()
    } catch (error) {
      ctx.respond = false
      answerError(arrival, error, log)
    }
    discardRest(ctx.req, ctx.res)
  })

  app.use(async function allowOrigins(ctx: Context, next: Next) {
    const { arrival, match } = ctx.state as PageState
    if (arrival.listener === 'local' && isModelApi(arrival, match)) await cors(ctx, next)
    else await next()
  })

  app.use(async function runRoute(ctx: Context) {
    const { arrival, match } = ctx.state as PageState
    // Behind the CORS headers, so that a page can read why it is refused.
    needs.apiKeys.assert(arrival, match)
    if (match.kind === 'found' && ctx.method !== 'OPTIONS') {
      const { route, params } = match
      if (route.pages === 'navigate') ctx.set(ALONE)
      if (route.forward === undefined) await route.handle(ctx, params)
      else {
        await route.forward(arrival, params)
        ctx.respond = false
      }
      return
    }
    if (match.kind === 'none') throw nothingAt(ctx.path)
    const allowed = match.kind === 'found' ? match.route.methods : match.allowed
    ctx.set('Allow', [...allowed, 'OPTIONS'].join(', '))
    if (ctx.method === 'OPTIONS') ctx.status = 204
    else throw new AppError('method_not_allowed', `${ctx.method} is not possible here; ${listed(allowed)}.`)
  })

  const handle: (request: IncomingMessage, response: ServerResponse) => Promise<void> = app.callback()
  return (arrival, match) => {
    states.set(arrival.request, { arrival, match })
    // Koa answers every failure itself; its promise never rejects.
    void handle(arrival.request, arrival.response)
  }
}

function nothingAt(path: string): AppError {
  return new AppError(
    'not_found',
    `There is nothing at ${path.slice(0, 200)}. The base URL for OpenAI’s clients ends in /v1, the one for Anthropic’s and Ollama’s has no path; /docs has the rest.`,
  )
}

/** `GET and POST are`, `POST is` */
function listed(methods: readonly string[]): string {
  const last = methods.at(-1) ?? ''
  return methods.length < 2 ? `${last} is` : `${methods.slice(0, -1).join(', ')} and ${last} are`
}

/** For what a person opens: no page may frame it, embed it or hold on to its window. */
const ALONE = {
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

const EXPOSED_HEADERS = [
  'X-Computing-Node',
  'X-Request-Id',
  'Request-Id',
  'X-Ocf-Tries',
  'X-Ocf-Sent-To',
  'X-Ocf-Route',
  'Server-Timing',
  'Retry-After',
]

/** A preflight's answer may be kept this long. */
const MAX_AGE_S = 600

/** Cross-origin rules: any page (`*`) or the listed origins, read anew for each request; never with credentials. */
function createCors(options: { settings: Readonly<Pick<Settings, 'cors-origins'>> }): Middleware {
  return cors({
    origin: (ctx) => {
      const allowed = options.settings['cors-origins']
      if (allowed.includes('*')) return '*'
      const origin = ctx.get('Origin')
      return isOriginAllowed(origin, allowed) ? origin : ''
    },
    allowMethods: [...FORWARDED_METHODS],
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: MAX_AGE_S,
    privateNetworkAccess: true,
    keepHeadersOnError: false,
  })
}
