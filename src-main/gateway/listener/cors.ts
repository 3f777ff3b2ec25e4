import cors from '@koa/cors'
import type { Middleware } from 'koa'
import { FORWARDED_METHODS } from '../routes/route.js'

const EXPOSED_HEADERS = ['X-Computing-Node', 'X-Request-Id', 'X-Ocf-Tries', 'Server-Timing', 'Retry-After']

/** A preflight's answer may be kept this long. */
const MAX_AGE_S = 600

/** Cross-origin rules: any page (`*`) or the listed origins, read anew for each request; never with credentials. */
export function createCors(options: { readonly corsOrigins: readonly string[] }): Middleware {
  return cors({
    origin: (ctx) => {
      if (options.corsOrigins.includes('*')) return '*'
      const origin = ctx.get('Origin')
      return isOriginAllowed(origin, options.corsOrigins) ? origin : ''
    },
    allowMethods: [...FORWARDED_METHODS],
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: MAX_AGE_S,
    privateNetworkAccess: true,
    keepHeadersOnError: false,
  })
}

/** Whether pages of that origin may use the gateway. */
export function isOriginAllowed(origin: string, allowed: readonly string[]): boolean {
  return allowed.includes('*') || allowed.includes(origin)
}
