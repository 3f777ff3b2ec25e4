import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '#shared/errors.js'
import { isPathShared, LLM_SHARED_PATHS, WEBSOCKET } from '../../services/index.js'
import type { RouteMatch } from '../routes/route.js'
import type { Arrival } from './arrival.js'

/**
 * Who sent a request, as far as browsers tell: a `program`, the gateway's `own-page` (its documentation), or a
 * `foreign-page`. Scripts can change none of the headers this is read from, and `Referer` is none of them.
 */
export type Caller = 'program' | 'own-page' | 'foreign-page'

/**
 * Reads who sent a request. Images, scripts, forms and `no-cors` requests come without `Origin` but with `Sec-Fetch-Site`;
 * older browsers send `Origin` alone.
 * @param isOwnName false where the request's Host is one that a page can have taken: then nothing is the gateway's page
 */
export function callerOf(headers: IncomingHttpHeaders, isOwnName: boolean): Caller {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (origin === undefined) {
    if (site === undefined || site === 'none') return 'program'
    return site === 'same-origin' && isOwnName ? 'own-page' : 'foreign-page'
  }
  if (!isOwnName || host === undefined) return 'foreign-page'
  if (site === undefined) return origin === `http://${host}` ? 'own-page' : 'foreign-page'
  // Behind a proxy that speaks TLS; the browser vouches for the scheme.
  const isOwn = site === 'same-origin' && (origin === `http://${host}` || origin === `https://${host}`)
  return isOwn ? 'own-page' : 'foreign-page'
}

/** The paths at a model server that web pages may have asked, the same that peers may. */
const PAGE_PATHS = [...LLM_SHARED_PATHS, { method: WEBSOCKET, path: '/v1/realtime' }]

/**
 * Whether a request is for the model API, which is all that web pages may use. What is at no route is answered alike to
 * everybody.
 */
export function isModelApi(arrival: Arrival, found: RouteMatch): boolean {
  if (found.kind === 'none') return true
  if (found.kind === 'wrong-method') return found.pages === 'model'
  const { route, params } = found
  if (route.pages !== 'model-path') return route.pages === 'model'
  const { service = 'llm' } = params
  const path = params['service'] === undefined ? arrival.url : (params['rest'] ?? '')
  const method = arrival.isHandshake ? WEBSOCKET : arrival.wantedMethod
  return service === 'llm' && isPathShared(PAGE_PATHS, method, path)
}

/** Whether pages of that origin may use the models; without one, only where any may. */
export function isOriginAllowed(origin: string | undefined, allowed: readonly string[]): boolean {
  return allowed.includes('*') || (origin !== undefined && allowed.includes(origin))
}

/**
 * Holds a page of another origin to the model API, as far as `cors-origins` lets it. Withholding CORS headers would not
 * be enough: a browser sends many requests without asking first.
 * @throws AppError `forbidden_origin`
 */
export function admitPage(arrival: Arrival, found: RouteMatch, corsOrigins: readonly string[]): void {
  if (isLinkFollowed(arrival) && found.kind === 'found' && found.route.pages === 'navigate') return
  if (!isModelApi(arrival, found)) {
    throw new AppError('forbidden_origin', 'Web pages may use the models of this gateway, and nothing else of it.')
  }
  if (isOriginAllowed(arrival.request.headers.origin, corsOrigins)) return
  throw new AppError(
    'forbidden_origin',
    'Pages of this origin may not use this gateway. If one of them is yours, add its origin to the setting cors-origins.',
  )
}

/** A person follows a link, into a tab and not into a frame. */
function isLinkFollowed({ method, isHandshake, request: { headers } }: Arrival): boolean {
  return (
    method === 'GET' &&
    !isHandshake &&
    headers.origin === undefined &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document'
  )
}
