import type { Context } from 'koa'
import { AppError } from '#shared/errors.js'
import type { Arrival } from '../listener/arrival.js'
import type { Listener } from '../listener/listeners.js'

/** Methods that forwarded routes accept; `OPTIONS` is CORS. */
export const FORWARDED_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type Method = (typeof FORWARDED_METHODS)[number]

/** Values of a path's parameters as they were sent, still percent-encoded; `rest` is what `*` stands for, with its `/`. */
export type PathParams = Readonly<Record<string, string>>

/** One line of the gateway's table: where, at which listeners, and what it does. */
export type Route = RoutePlace & (AnsweringRoute | ForwardingRoute)

/** A route that answers here, through Koa. */
export interface AnsweringRoute {
  handle(ctx: Context, params: PathParams): Promise<void> | void
  forward?: undefined
}

/** A route whose answer comes from elsewhere; the response belongs to the forwarder. */
interface ForwardingRoute {
  handle?: undefined
  forward(arrival: Arrival, params: PathParams): Promise<void>
}

/** Where a route is. */
export interface RoutePlace {
  methods: readonly Method[]
  /** Segments; `:name` takes one segment, a last `*` takes the rest of the path. */
  path: string
  listeners: readonly Listener[]
  /** What web pages of other origins may do here. */
  pages: PageUse
  /** Served besides under the gateway's own names: under `any` Host, or to HTTP/1.0 clients that send `none`. */
  alsoUnder?: 'any' | 'none'
  /** Answered without an API key even where the gateway asks for one. */
  keyless?: true
  summary: string
}

/**
 * How a web page of another origin may use a route. `never`: not at all, whatever `cors-origins` says. `model`: as far as
 * `cors-origins` lets it. `model-path`: the same, where the path at the server is one that is shared of a model server.
 * `navigate`: a person may follow a link to it; no page may fetch, embed or frame it.
 */
export type PageUse = 'never' | 'model' | 'model-path' | 'navigate'

/** A raw request target cut in two at the first `?`; nothing is decoded. */
export interface RawTarget {
  path: string
  /** With its `?`; empty where there is none. */
  query: string
}

export function splitTarget(rawUrl: string): RawTarget {
  const at = rawUrl.indexOf('?')
  return at < 0 ? { path: rawUrl, query: '' } : { path: rawUrl.slice(0, at), query: rawUrl.slice(at) }
}

export type RouteMatch =
  | { kind: 'found'; route: Route; params: PathParams }
  | { kind: 'wrong-method'; allowed: readonly Method[]; pages: 'model' | 'never' }
  | { kind: 'none' }

/** Compiles a table for one listener; routes of the other do not exist there. The first match in table order wins. */
export function createMatcher(
  routes: readonly Route[],
  listener: Listener,
): (method: string, path: string) => RouteMatch {
  const compiled = routes
    .filter((route) => route.listeners.includes(listener))
    .map((route) => ({ route, segments: route.path.split('/').slice(1) }))

  return (method, path) => {
    if (!path.startsWith('/')) return { kind: 'none' }
    const given = path.split('/').slice(1)
    const allowed = new Set<Method>()
    let pages: 'model' | 'never' = 'model'
    for (const { route, segments } of compiled) {
      const params = matchSegments(segments, given)
      if (params === undefined) continue
      if ((route.methods as readonly string[]).includes(method)) return { kind: 'found', route, params }
      if (route.pages !== 'model' && route.pages !== 'model-path') pages = 'never'
      for (const other of route.methods) allowed.add(other)
    }
    return allowed.size > 0 ? { kind: 'wrong-method', allowed: [...allowed], pages } : { kind: 'none' }
  }
}

/**
 * Finds what a path means that is at no route: clients are given base URLs with `/v1` twice or without it, and write
 * slashes twice or behind. Only paths of the model API are found so; everything else is where it is and nowhere else.
 */
export function createNearMatcher(
  match: (method: string, path: string) => RouteMatch,
): (method: string, path: string) => { path: string; found: RouteMatch } | undefined {
  return (method, path) => {
    const segments = path.split('/').filter((segment) => segment !== '')
    const bare = segments.slice(segments.findIndex((segment) => segment !== 'v1'))
    const isOllama = bare[0] === 'api'
    const near = `/${(isOllama ? bare : ['v1', ...bare]).join('/')}`
    if (near === path || segments.every((segment) => segment === 'v1')) return undefined
    const found = match(method, near)
    return isOfModelApi(found) ? { path: near, found } : undefined
  }
}

function isOfModelApi(found: RouteMatch): boolean {
  if (found.kind === 'none') return false
  if (found.kind === 'wrong-method') return found.pages === 'model'
  const { path, pages } = found.route
  return (pages === 'model' || pages === 'model-path') && !path.includes(':')
}

/** Targets whose match is kept; a program uses a handful. */
const MAX_REMEMBERED = 256
/** Longer paths are matched anew each time. */
const MAX_REMEMBERED_CHARS = 200

/** A matcher that remembers its answers. It forgets all at once when it is full, so that it can't be filled up. */
export function remembering(match: (method: string, path: string) => RouteMatch): typeof match {
  const known = new Map<string, RouteMatch>()
  return (method, path) => {
    if (path.length > MAX_REMEMBERED_CHARS) return match(method, path)
    const key = `${method} ${path}`
    const before = known.get(key)
    if (before !== undefined) return before
    const found = match(method, path)
    if (known.size >= MAX_REMEMBERED) known.clear()
    known.set(key, found)
    return found
  }
}

function matchSegments(pattern: readonly string[], given: readonly string[]): PathParams | undefined {
  const params: Record<string, string> = {}
  for (const [index, segment] of pattern.entries()) {
    if (segment === '*') {
      if (given.length < index) return undefined
      params['rest'] = given.length === index ? '' : `/${given.slice(index).join('/')}`
      return params
    }
    const value = given[index]
    if (value === undefined) return undefined
    if (segment.startsWith(':')) {
      if (value === '') return undefined
      params[segment.slice(1)] = value
    } else if (segment !== value) return undefined
  }
  return given.length === pattern.length ? params : undefined
}

/** @throws AppError `invalid_service` */
export function parseServiceName(raw: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(raw)) {
    throw new AppError('invalid_service', 'A service name has 1 to 64 letters, digits, ".", "_" or "-".', {
      param: 'service',
    })
  }
  return raw
}
