import { AppError } from '#shared/errors.js'
import type { Arrival } from './arrival.js'
import { isOriginAllowed } from './cors.js'
import { createHostCheck, hasSeveralHosts } from './forbidden-host.js'
import { assertHandshake } from '../forward/websocket.js'
import { createOriginLimits } from './origin-limits.js'

/**
 * Looks at who is at the door, before anything is done for it.
 * @throws AppError `invalid_request`, `forbidden_host`, `forbidden_origin`, `rate_limited`
 */
export type Admit = (arrival: Arrival) => void

/** The checks of every request of one door. `corsOrigins` is read each time. */
export function createAdmit(options: { readonly corsOrigins: readonly string[]; bindHost: string }): Admit {
  const isHostAllowed = createHostCheck(options.bindHost)
  const limits = createOriginLimits()

  /** No CORS holds a web page back from a WebSocket: its origin must be checked here. */
  function admitHandshake({ door, request }: Arrival): void {
    assertHandshake(request.headers)
    const { origin } = request.headers
    if (door === 'peer' || origin === undefined || isOriginAllowed(origin, options.corsOrigins)) return
    throw new AppError('forbidden_origin', 'Pages of this origin may not use this gateway (cors-origins).')
  }

  return (arrival) => {
    const { door, request, response } = arrival
    if (hasSeveralHosts(request.rawHeaders)) {
      response.setHeader('Connection', 'close')
      throw new AppError('invalid_request', 'A request names one Host (RFC 9112 §3.2), and this one names several.')
    }
    if (door === 'local' && !isHostAllowed(request.headers.host)) {
      throw new AppError('forbidden_host', 'The gateway answers under localhost or an IP address of this machine only.')
    }
    if (arrival.isHandshake) admitHandshake(arrival)
    if (door === 'peer') return
    // A place for the origin until the answer, or the WebSocket behind it, is over.
    const leave = limits.enter(request.headers.origin)
    const lasting = arrival.isHandshake ? request.socket : response
    lasting.once('close', leave)
  }
}
