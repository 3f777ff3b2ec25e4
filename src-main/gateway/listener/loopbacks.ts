import type { Server } from 'node:http'
import { type AddressInfo, createServer, isIPv6, type Server as NetServer } from 'node:net'
import { systemCodeOf } from '../../base/system-error.js'
import { explainListenError } from '../../config/index.js'
import type { Log } from '../../logging/index.js'

/** Where an HTTP server listens. */
export interface Listening {
  readonly port: number
  /** `http://127.0.0.1:8092` */
  readonly url: string
  /** Accepts nothing more and resolves once every connection is closed. */
  close(): Promise<void>
}

/** A name that some programs look up as 127.0.0.1 only and some as ::1 only. */
const BOTH = /^localhost\.?$/i
const IPV4 = '127.0.0.1'
const IPV6 = '::1'

/**
 * Connections the system holds until the node takes them; Node's 511 is less than a burst of a few hundred programs that
 * each open two, and whoever does not fit tries again after a second. The system may hold fewer.
 */
const BACKLOG = 4_096

/** How often a free port is taken that turns out to be free on one loopback address only. */
const MAX_CHOICES = 5

/**
 * Listens at `host`; `localhost` is both loopback addresses on one port. A machine without ::1 has the other one only,
 * and so does one where another program holds the port on ::1, which is logged.
 * @throws AppError `port_in_use`, `port_not_permitted`, `address_not_available`, with `setting`
 */
export async function listenOn(
  server: Server,
  where: { host: string; port: number; setting: 'port' | 'api-port' },
  log: Log,
): Promise<Listening> {
  const { host, setting } = where
  if (!BOTH.test(host)) {
    await listenAt(server, where)
    return listening([server], host)
  }
  for (let choice = 1; ; choice += 1) {
    await listenAt(server, { ...where, host: IPV4 })
    const { port } = server.address() as AddressInfo
    const second = createSecond(server)
    const problem = await errorOf(second, { host: IPV6, port })
    if (problem === undefined) return listening([server, second], IPV4)
    if (systemCodeOf(problem) !== 'EADDRINUSE') return listening([server], IPV4)
    if (where.port !== 0 || choice === MAX_CHOICES) {
      log.warn('another program has this port on ::1: what looks for localhost there reaches that one', {
        port,
        setting,
      })
      return listening([server], IPV4)
    }
    await closed(server)
  }
}

/** Hands its connections to `server`, for which they are like its own: time-outs, limits and the stop hold for them. */
function createSecond(server: Server): NetServer {
  // As Node's HTTP server makes its own sockets.
  const second = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket))
  second.maxConnections = server.maxConnections
  return second
}

async function listenAt(server: Server, where: { host: string; port: number; setting: 'port' | 'api-port' }) {
  const error = await errorOf(server, where)
  if (error === undefined) return
  const hostSetting = where.setting === 'port' ? { hostSetting: 'host' as const } : {}
  throw await explainListenError(error, { ...where, ...hostSetting })
}

/** Why it can't listen; undefined once it listens. */
function errorOf(server: NetServer, { host, port }: { host: string; port: number }): Promise<Error | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve)
    server.listen({ host, port, exclusive: true, backlog: BACKLOG }, () => {
      server.off('error', resolve)
      resolve(undefined)
    })
  })
}

function listening(servers: readonly [NetServer, ...NetServer[]], host: string): Listening {
  const { port } = servers[0].address() as AddressInfo
  return {
    port,
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    async close() {
      await Promise.all(servers.map(closed))
    },
  }
}

const closed = (server: NetServer): Promise<unknown> => new Promise((resolve) => server.close(resolve))
