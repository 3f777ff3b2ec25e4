import type { PathKind } from '#shared/contract/network/peers.js'
import { AppError } from '#shared/errors.js'
import { describeConnection } from '../dial/connection-path.js'
import { preferDirect } from '../dial/dial-order.js'
import type { Host, HostNeeds, HostOptions } from '../index.js'
import { startLibp2p, type RunningLibp2p } from './start-libp2p.js'

/**
 * This node's libp2p host: TCP, WebSocket and QUIC listening together, gossipsub, and one or two DHTs of
 * our own. `start` throws `port_in_use` and `invalid_settings` (a public address that is none).
 */
export function createHost(needs: HostNeeds, options: HostOptions): Host {
  const log = needs.log.forComponent('p2p')
  const { identity } = needs
  let running: RunningLibp2p | undefined
  let stopping: Promise<void> | undefined

  const started = (): RunningLibp2p => {
    if (running === undefined) throw new AppError('node_not_running', 'The network of this node is not started.')
    return running
  }

  return {
    name: 'p2p',
    identity,
    peerId: identity.peerId.toString(),
    get libp2p() {
      return started().libp2p
    },
    get pubsub() {
      return started().libp2p.services.pubsub
    },
    multiaddrs: () => started().libp2p.getMultiaddrs().map(String),
    connections: () =>
      started()
        .libp2p.getConnections()
        .map((connection) => describeConnection(connection, { isPunched: started().isPunched(connection) })),
    isConnected: (peerId) => started().connected.has(peerId),
    connectionsTo: (peerId) => started().connected.of(peerId),
    reach: () => started().reach(),
    get liveness() {
      return started().liveness
    },
    nameAddresses: (addresses) => started().nameAddresses(addresses),
    get lan() {
      return started().lan
    },
    onMeasured: (listener) => started().onMeasured(listener),
    askReach: (signal) => started().askReach(signal),
    async start(signal) {
      signal.throwIfAborted()
      stopping = undefined
      running = await startLibp2p(needs, options, log)
      log.info('listening', {
        peerId: identity.peerId.toString(),
        addresses: running.libp2p.getMultiaddrs().map(String),
      })
      if (!signal.aborted) return
      await this.stop()
      signal.throwIfAborted()
    },
    stop() {
      stopping ??= running?.stop().finally(() => (running = undefined)) ?? Promise.resolve()
      return stopping
    },
  }
}

/** How peers are connected, cheap enough to ask for every request. */
export interface PathLookup {
  /** The kind of the connection new streams to that peer take; null while there is none. */
  pathTo(peerId: string): PathKind | null
}

/** Reads the connections of a started host again only after one opened or closed. */
export function createPathLookup(host: Host): PathLookup {
  const paths = new Map<string, PathKind>()
  let watched: Host['libp2p'] | undefined
  let stale = true
  const expire = (): void => {
    stale = true
  }

  function refresh(): void {
    stale = false
    paths.clear()
    for (const [peerId, open] of Map.groupBy(host.connections(), ({ peerId: id }) => id)) {
      const best = preferDirect(open, ({ path }) => path === 'relayed')
      if (best !== undefined) paths.set(peerId, best.path)
    }
  }

  return {
    pathTo(peerId) {
      if (watched !== host.libp2p) {
        watched = host.libp2p
        watched.addEventListener('connection:open', expire)
        watched.addEventListener('connection:close', expire)
        stale = true
      }
      if (stale) refresh()
      return paths.get(peerId) ?? null
    },
  }
}
