import type { Connection } from '@libp2p/interface'
import type { Log } from '../../logging/index.js'
import type { Host } from '../index.js'
import { dialTargets, type DialTarget } from './dial-targets.js'
import { failureWords } from './failure-words.js'

/** What dialling the addresses of one source came to. Peers that were not tried, because there are enough, are in neither. */
export interface DialOutcome {
  /** True where all of the addresses are this node's own. */
  isSelf: boolean
  /** Peers that answered, or were connected already. */
  reached: number
  failed: FailedDial[]
}

/** A peer that could not be reached. */
interface FailedDial {
  addresses: string[]
  /** In words for a person. */
  reason: string
}

/** libp2p dials peers with a `keep-alive…` tag again when they are lost. */
const KEEP_ALIVE_TAG = 'keep-alive-ocf-bootstrap'
/** Only those whose connection lasted this long, ms: a peer that drops each one at once would be dialled in a tight loop. */
const KEPT_AFTER_MS = 1_000
const DIAL_TIMEOUT_MS = 5_000
const MAX_PARALLEL_DIALS = 8
/** Peers one round dials at most for a source, and connections after which it is content. */
const MAX_TARGETS = 100
const ENOUGH_PEERS = 8
/** Peers of each source, however many there are of others: those that are quickest may all be one party's. */
const OF_EACH_SOURCE = 2

/** Dials the peers behind `addresses`, several at a time, until this node has enough of them. Never throws. */
export async function dialAddresses(
  needs: { host: Host; log: Log },
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<DialOutcome> {
  const { host, log } = needs
  const targets = dialTargets(addresses, { peerId: host.peerId, multiaddrs: host.multiaddrs() }).slice(0, MAX_TARGETS)
  let reached = 0
  /** By the place of the target, so that the same failures always read the same. */
  const failures = new Map<number, FailedDial>()
  const next = targets.entries()
  const worker = async (): Promise<void> => {
    for (const [place, target] of next) {
      const isEnough = reached >= OF_EACH_SOURCE && host.libp2p.getPeers().length >= ENOUGH_PEERS
      if (signal.aborted || isEnough) return
      await dialTarget(target, place)
    }
  }
  const dialTarget = async (target: DialTarget, place: number): Promise<void> => {
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
      const connection = await host.libp2p.dial(target.addresses, { signal: limited })
      keepAlive(needs, connection)
      reached += 1
    } catch (error) {
      if (signal.aborted) return
      const failed = { addresses: target.addresses.map(String), reason: failureWords(error) }
      failures.set(place, failed)
      log.debug('a bootstrap peer could not be reached', { peer: target.peerId, ...failed, error })
    }
  }
  await Promise.all(Array.from({ length: MAX_PARALLEL_DIALS }, worker))
  const failed = [...failures].sort(([a], [b]) => a - b).map(([, failure]) => failure)
  return { isSelf: addresses.length > 0 && targets.length === 0, reached, failed }
}

function keepAlive({ host, log }: { host: Host; log: Log }, connection: Connection): void {
  const tag = (value: { value: number } | undefined): void => {
    host.libp2p.peerStore
      .merge(connection.remotePeer, { tags: { [KEEP_ALIVE_TAG]: value } })
      .catch((error: unknown) => {
        log.debug('a bootstrap peer could not be marked', { peerId: connection.remotePeer.toString(), error })
      })
  }
  const lasted = setTimeout(() => {
    connection.removeEventListener('close', dropped)
    if (connection.status === 'open') tag({ value: 50 })
  }, KEPT_AFTER_MS).unref()
  const dropped = (): void => {
    clearTimeout(lasted)
    tag(undefined)
  }
  if (connection.status === 'open') connection.addEventListener('close', dropped, { once: true })
  else dropped()
}

/** Parts with the peers that {@link dialAddresses} dials again when they are lost, but for those to keep. Never rejects. */
export async function forgetMetPeers(host: Host, log: Log, isKept: (peerId: string) => boolean): Promise<void> {
  try {
    for (const { id, tags } of await host.libp2p.peerStore.all()) {
      if (!tags.has(KEEP_ALIVE_TAG) || isKept(id.toString())) continue
      await host.libp2p.peerStore.delete(id)
      await host.libp2p.hangUp(id)
    }
  } catch (error) {
    log.warn('not all peers of a network that was left could be forgotten', { error })
  }
}
