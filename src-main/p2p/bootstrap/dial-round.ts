import type { Connection } from '@libp2p/interface'
import type { Log } from '../../logging/index.js'
import type { Host } from '../index.js'
import { dialTargets, type DialTarget } from './dial-targets.js'

/** libp2p dials peers with a `keep-alive…` tag again when they are lost. */
const KEEP_ALIVE_TAG = 'keep-alive-ocf-bootstrap'
const DIAL_TIMEOUT_MS = 5_000
const MAX_PARALLEL_DIALS = 8
/** Peers one round dials at most, and connections after which it is content. */
const MAX_TARGETS = 100
const ENOUGH_PEERS = 8

/** Dials the peers behind `addresses`, several at a time, until this node has enough of them. Never throws. */
export async function dialAddresses(
  needs: { host: Host; log: Log },
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { host, log } = needs
  const targets = dialTargets(addresses, { peerId: host.peerId, multiaddrs: host.multiaddrs() }).slice(0, MAX_TARGETS)
  const next = targets.values()
  const worker = async (): Promise<void> => {
    for (const target of next) {
      if (signal.aborted || host.libp2p.getPeers().length >= ENOUGH_PEERS) return
      await dialTarget(target)
    }
  }
  const dialTarget = async (target: DialTarget): Promise<void> => {
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
      await keepAlive(await host.libp2p.dial(target.addresses, { signal: limited }))
    } catch (error) {
      if (signal.aborted) return
      log.debug('a bootstrap peer could not be reached', {
        peer: target.peerId,
        addresses: target.addresses.map(String),
        error,
      })
    }
  }
  const keepAlive = async (connection: Connection): Promise<void> => {
    await host.libp2p.peerStore.merge(connection.remotePeer, { tags: { [KEEP_ALIVE_TAG]: { value: 50 } } })
  }
  await Promise.all(Array.from({ length: MAX_PARALLEL_DIALS }, worker))
}
