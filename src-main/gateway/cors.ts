import cors from '@koa/cors'
import type { Middleware } from 'koa'
import { FORWARDED_METHODS } from './route.js'

const EXPOSED_HEADERS = ['X-Computing-Node', 'X-Request-Id', 'X-Ocf-Tries', 'Server-Timing', 'Retry-After']

/** A preflight's answer may be kept this long. */
const MAX_AGE_S = 600

/** Cross-origin rules: any page (`*`) or the listed origins, read anew for each request; never with credentials. */
export function createCors(options: { readonly corsOrigins: readonly string[] }): Middleware {
  return cors({
    origin: (ctx) => {
      const origins = options.corsOrigins
      if (origins.includes('*')) return '*'
      const origin = ctx.get('Origin')
      return origins.includes(origin) ? origin : ''
    },
    allowMethods: [...FORWARDED_METHODS],
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: MAX_AGE_S,
    privateNetworkAccess: true,
    keepHeadersOnError: false,
  })
}
