import { buildConnector, Pool, type Dispatcher } from 'undici'
import type { Service } from '../../lifecycle.js'

/** HTTP clients of this machine's own servers: one keep-alive pool per host and port. */
export interface LocalClients extends Service {
  dispatcher(target: { host: string; port: number }): Dispatcher
}

/** Requests at work at one local server; the owner's limits are far below. */
const MAX_CONNECTIONS = 2_048

/** Servers a node talks to; far more than one machine runs. */
const MAX_POOLS = 64

/** A connection on loopback is there at once or not at all. */
const CONNECT_TIMEOUT_MS = 2_000

/** An empty set of clients; pools open on first use. */
export function createLocalClients(): LocalClients {
  const pools = new Map<string, Pool>()
  return {
    name: 'local-clients',
    start: () => Promise.resolve(),
    async stop() {
      const open = [...pools.values()]
      pools.clear()
      await Promise.all(open.map((pool) => pool.destroy()))
    },
    dispatcher({ host, port }) {
      const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
      const known = pools.get(origin)
      if (known !== undefined) return known
      if (pools.size >= MAX_POOLS) closeOldest(pools)
      const pool = new Pool(origin, {
        connections: MAX_CONNECTIONS,
        pipelining: 1,
        connect: connectNotingBytes,
        keepAliveTimeout: 4_000,
      })
      pools.set(origin, pool)
      return pool
    },
  }
}

const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS })

/** A connection's error says how many bytes came over it: whether it was fresh or had served before. */
const connectNotingBytes: buildConnector.connector = (options, callback) =>
  connect(options, (...result) => {
    const [, socket] = result
    socket?.prependListener('error', (error: Error) => {
      Object.assign(error, { bytesRead: socket.bytesRead })
    })
    callback(...result)
  })

/** Closed once its requests are done: `close()` lets them finish. */
function closeOldest(pools: Map<string, Pool>): void {
  for (const [origin, pool] of pools) {
    pools.delete(origin)
    void pool.close()
    return
  }
}
