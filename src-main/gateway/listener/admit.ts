import { AppError } from '#shared/errors.js'
import type { Settings } from '../../config/index.js'
import { assertHandshake } from '../forward/websocket.js'
import type { RouteMatch } from '../routes/route.js'
import type { Arrival } from './arrival.js'
import { type HostName, hostNameOf } from './host-name.js'
import { admitPage, callerOf, isModelApi } from './page-rules.js'

/**
 * Checks who asks for what was found, before anything else is done.
 * @throws AppError `invalid_request`, `forbidden_host`, `forbidden_origin`, `rate_limited`
 */
export type Admit = (arrival: Arrival, found: RouteMatch) => void

/** The checks of every request of one listener. `settings` are read each time. */
export function createAdmit(options: {
  settings: Readonly<Pick<Settings, 'cors-origins' | 'allowed-hosts'>>
  bindHost: string
}): Admit {
  const { settings } = options
  const readHost = createHostReader(options)
  const limits = createOriginLimits()

  /** Every check of the local listener. A program without an Origin passes with a few comparisons. */
  function admitLocal(arrival: Arrival, found: RouteMatch): void {
    const { request, response } = arrival
    arrival.hostName = readHost(request.headers.host)
    const isOwnName = arrival.hostName === 'own' || arrival.hostName === 'listed'
    if (!isOwnName) admitOtherHost(arrival, found)
    if (arrival.isHandshake) assertHandshake(request.headers)
    const { origin } = request.headers
    arrival.caller = callerOf(request.headers, isOwnName)
    const isForeign = arrival.caller === 'foreign-page'
    if (isForeign) admitPage(arrival, found, settings['cors-origins'])
    // Counted for its origin until the response, or the WebSocket behind it, is over.
    const leave = limits.enter(isForeign ? (origin ?? UNNAMED_PAGE) : origin)
    const lasting = arrival.isHandshake ? request.socket : response
    lasting.once('close', leave)
  }

  return (arrival, found) => {
    const { listener, request, response } = arrival
    const hosts = countHosts(request.rawHeaders)
    if (hosts > 1 || (hosts === 0 && request.httpVersion === '1.1')) {
      response.setHeader('Connection', 'close')
      const named = hosts === 0 ? 'none' : 'several'
      throw new AppError('invalid_request', `A request names one Host (RFC 9112 §3.2), and this one names ${named}.`)
    }
    if (listener === 'local') admitLocal(arrival, found)
    else if (arrival.isHandshake) assertHandshake(request.headers)
  }
}

/** {@link hostNameOf} for one gateway. It remembers the last name, which nearly every request has. */
function createHostReader(options: {
  settings: Readonly<Pick<Settings, 'allowed-hosts'>>
  bindHost: string
}): (header: string | undefined) => HostName {
  let header: string | undefined
  let allowed: readonly string[] | undefined
  let last: HostName = 'none'
  return (given) => {
    const nowAllowed = options.settings['allowed-hosts']
    if (given === header && nowAllowed === allowed) return last
    last = hostNameOf(given, options.bindHost, nowAllowed)
    header = given
    allowed = nowAllowed
    return last
  }
}

/**
 * What is served under a name that is not surely this gateway's.
 * @throws AppError `forbidden_host`
 */
function admitOtherHost(arrival: Arrival, found: RouteMatch): void {
  const { hostName } = arrival
  const also = found.kind === 'found' ? found.route.alsoUnder : undefined
  if (also === 'any' || (also === 'none' && hostName === 'none')) return
  if (hostName === 'container' && isModelApi(arrival, found)) return
  throw new AppError('forbidden_host', whyRefused(hostName, (arrival.request.headers.host ?? '').slice(0, 200)))
}

function whyRefused(hostName: HostName, host: string): string {
  if (hostName === 'none') return 'This request has no Host, so GET /v1/health is all that is answered.'
  const name = JSON.stringify(host)
  return hostName === 'container'
    ? `Under the name ${name} the gateway serves the models only. Add the name to the setting allowed-hosts for the rest.`
    : `The gateway does not answer under the name ${name}. If it is yours, add it to the setting allowed-hosts; localhost and IP addresses always work.`
}

/** Node keeps the first `Host` and drops the rest; what stands before or behind this node may take another. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count
}

/** Stands for the origin of pages whose requests name none. */
const UNNAMED_PAGE = ''

/** Requests at work at the local listener at one time. */
export interface OriginBounds {
  /** Of this machine's programs, which send no `Origin`. */
  programs: number
  /** Of the pages of one origin. */
  origin: number
  /** Of the pages of all origins together. */
  pages: number
}

/** Far above what people need, and far below what would starve everything else. */
const ORIGIN_BOUNDS: OriginBounds = { programs: 4_096, origin: 64, pages: 512 }

/** Keeps one web page from taking the whole gateway. */
export interface OriginLimits {
  /**
   * A request begins; call what is returned when it is over (more than once does no harm).
   * @throws AppError `rate_limited`
   */
  enter(origin: string | undefined): () => void
}

/** Counts requests at work by origin. */
export function createOriginLimits(bounds: OriginBounds = ORIGIN_BOUNDS): OriginLimits {
  // Bounded by `pages`: an origin without a request is forgotten.
  const running = new Map<string, number>()
  let programs = 0
  let pages = 0

  function enterProgram(): () => void {
    if (programs >= bounds.programs) throw tooMany('This machine’s programs have')
    programs += 1
    return once(() => {
      programs -= 1
    })
  }

  function enterPage(origin: string): () => void {
    const count = running.get(origin) ?? 0
    if (count >= bounds.origin) throw tooMany('Pages of this origin have')
    if (pages >= bounds.pages) throw tooMany('Web pages have')
    running.set(origin, count + 1)
    pages += 1
    return once(() => {
      pages -= 1
      const left = (running.get(origin) ?? 1) - 1
      if (left === 0) running.delete(origin)
      else running.set(origin, left)
    })
  }

  return { enter: (origin) => (origin === undefined ? enterProgram() : enterPage(origin)) }
}

function tooMany(who: string): AppError {
  return new AppError('rate_limited', `${who} too many requests at work at this gateway. Wait for some of them.`, {
    retryAfterS: 1,
  })
}

function once(act: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    act()
  }
}
