import { isIP } from 'node:net'
import { AppError } from '#shared/errors.js'
import type { Settings } from '../../config/index.js'
import { assertHandshake } from '../forward/websocket.js'
import type { Arrival } from './arrival.js'

/**
 * Checks who asks, before anything else is done.
 * @throws AppError `invalid_request`, `forbidden_host`, `forbidden_origin`, `rate_limited`
 */
export type Admit = (arrival: Arrival) => void

/** The checks of every request of one listener. `settings` are read each time. */
export function createAdmit(options: { settings: Readonly<Pick<Settings, 'cors-origins'>>; bindHost: string }): Admit {
  const isHostAllowed = createHostCheck(options.bindHost)
  const limits = createOriginLimits()

  /** No CORS holds a web page back from a WebSocket: its origin must be checked here. */
  function admitHandshake({ listener, request }: Arrival): void {
    assertHandshake(request.headers)
    const { origin } = request.headers
    if (listener === 'peer' || origin === undefined || isOriginAllowed(origin, options.settings['cors-origins'])) return
    throw new AppError('forbidden_origin', 'Pages of this origin may not use this gateway (cors-origins).')
  }

  return (arrival) => {
    const { listener, request, response } = arrival
    if (hasSeveralHosts(request.rawHeaders)) {
      response.setHeader('Connection', 'close')
      throw new AppError('invalid_request', 'A request names one Host (RFC 9112 §3.2), and this one names several.')
    }
    if (listener === 'local' && !isHostAllowed(request.headers.host)) {
      throw new AppError('forbidden_host', 'The gateway answers under localhost or an IP address of this machine only.')
    }
    if (arrival.isHandshake) admitHandshake(arrival)
    if (listener === 'peer') return
    // Counted for its origin until the response, or the WebSocket behind it, is over.
    const leave = limits.enter(request.headers.origin)
    const lasting = arrival.isHandshake ? request.socket : response
    lasting.once('close', leave)
  }
}

/** Names by which programs on this machine (and in its containers) reach a loopback gateway. */
const LOCAL_NAMES = new Set([
  'localhost',
  'host.docker.internal',
  'gateway.docker.internal',
  'host.containers.internal',
])

/**
 * False for a `Host` that a web page could have made point here (DNS rebinding). IP addresses can't be rebound; a
 * gateway bound to more than loopback is reached under names only its owner knows, so there any is fine.
 */
export function isHostAllowed(hostHeader: string | undefined, bindHost: string): boolean {
  if (hostHeader === undefined) return false
  const name = hostHeader.replace(/:\d{1,5}$/, '').toLowerCase()
  const bare = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
  if (isIP(bare) !== 0 || LOCAL_NAMES.has(bare) || bare.endsWith('.localhost')) return true
  return !(bindHost === 'localhost' || bindHost.startsWith('127.') || bindHost === '::1') || bare === bindHost
}

/** {@link isHostAllowed} for one bind address. It remembers the last name, which nearly every request has. */
function createHostCheck(bindHost: string): (hostHeader: string | undefined) => boolean {
  let last: string | undefined
  let lastAllowed = false
  return (hostHeader) => {
    if (hostHeader !== undefined && hostHeader === last) return lastAllowed
    lastAllowed = isHostAllowed(hostHeader, bindHost)
    last = hostHeader
    return lastAllowed
  }
}

/** Node keeps the first `Host` and drops the rest; what stands before or behind this node may take another. */
function hasSeveralHosts(rawHeaders: readonly string[]): boolean {
  let seen = false
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length !== 4 || name.toLowerCase() !== 'host') continue
    if (seen) return true
    seen = true
  }
  return false
}

/** Whether pages of that origin may use the gateway. */
export function isOriginAllowed(origin: string, allowed: readonly string[]): boolean {
  return allowed.includes('*') || allowed.includes(origin)
}

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
