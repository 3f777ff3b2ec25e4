import type { Connection, Libp2p, PeerId, PeerInfo } from '@libp2p/interface'
import { monotonicClock, type MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import { addressGroup, hostOf, relayOf, scopeOf } from './ip-scope.js'

/** Connections a node looks for; it accepts more. Enough for gossip's mesh of 6 to 12 and for failures. */
const TARGET_PEERS = 20
/**
 * Of these, parties it chose to connect to: those that come to it, or are of one address group, may all be one
 * attacker's, who would keep it from everyone else.
 */
const TARGET_PARTIES = 8
/** Peers it dials at most, where all are of few groups. */
const MAX_DIALLED = 40
const MAX_PARALLEL_DIALS = 4
const MAX_CANDIDATES = 200
const MAX_REMEMBERED_FAILURES = 500
const DIAL_TIMEOUT_MS = 5_000
/** How long a peer that could not be reached is left alone. */
const RETRY_AFTER_MS = 5 * 60_000
/** A node with fewer peers tries those it could not reach again sooner: after this, then after twice that and so on. */
const FEW_PEERS = 4
const RETRY_WITH_FEW_MS = 15_000

/** Dials peers that the DHT and multicast DNS tell of, until this node has {@link TARGET_PEERS}. */
export interface DiscoveryDialer {
  stop(): Promise<void>
}

/** Runs until it is stopped. libp2p itself never dials a discovered peer. */
export function createDiscoveryDialer(
  needs: { libp2p: Libp2p; log: Log; clock?: MonotonicClock },
  options: { retryWithFewMs?: number } = {},
): DiscoveryDialer {
  const { libp2p, log, clock = monotonicClock } = needs
  const candidates = new Map<string, PeerId>()
  const failures = new Map<string, { id: PeerId; atMs: number }>()
  const dials = new Set<Promise<void>>()
  const stopped = new AbortController()
  const firstRetryMs = options.retryWithFewMs ?? RETRY_WITH_FEW_MS
  let retryMs = firstRetryMs
  let retryTimer: NodeJS.Timeout | undefined

  const mayDial = (id: PeerId): boolean => {
    const failed = failures.get(id.toString())?.atMs
    return (
      !id.equals(libp2p.peerId) &&
      libp2p.getConnections(id).length === 0 &&
      (failed === undefined || clock.elapsedMs() - failed >= RETRY_AFTER_MS)
    )
  }

  function hasEnough(): boolean {
    const peers = libp2p.getPeers().length + dials.size
    if (peers < TARGET_PEERS) return false
    const dialled = libp2p.getConnections().filter(({ direction }) => direction === 'outbound')
    const parties = new Set(dialled.map(partyOf))
    return parties.size + dials.size >= TARGET_PARTIES || dialled.length + dials.size >= MAX_DIALLED
  }

  const retryWithFew = (): void => {
    retryTimer = undefined
    if (stopped.signal.aborted || libp2p.getPeers().length >= FEW_PEERS) return
    retryMs = Math.min(2 * retryMs, RETRY_AFTER_MS)
    for (const [key, { id }] of failures) {
      if (candidates.size >= MAX_CANDIDATES) break
      candidates.set(key, id)
      failures.delete(key)
    }
    pump()
  }

  const dial = async (id: PeerId): Promise<void> => {
    const key = id.toString()
    try {
      await libp2p.dial(id, { signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]) })
      failures.delete(key)
      retryMs = firstRetryMs
    } catch (error) {
      if (stopped.signal.aborted) return
      log.debug('a discovered peer could not be reached', { peer: key, error })
      failures.delete(key)
      failures.set(key, { id, atMs: clock.elapsedMs() })
      dropOldest(failures, MAX_REMEMBERED_FAILURES)
      retryTimer ??= setTimeout(retryWithFew, retryMs).unref()
    }
  }

  const pump = (): void => {
    while (!stopped.signal.aborted && dials.size < MAX_PARALLEL_DIALS) {
      if (hasEnough()) return
      const [next] = candidates
      if (next === undefined) return
      const [key, id] = next
      candidates.delete(key)
      if (!mayDial(id)) continue
      const task = dial(id).finally(() => {
        dials.delete(task)
        pump()
      })
      dials.add(task)
    }
  }

  const onDiscovery = (event: CustomEvent<PeerInfo>): void => {
    const { id } = event.detail
    if (!mayDial(id)) return
    candidates.set(id.toString(), id)
    dropOldest(candidates, MAX_CANDIDATES)
    pump()
  }
  const onDisconnect = (event: CustomEvent<PeerId>): void => {
    candidates.delete(event.detail.toString())
    pump()
  }

  libp2p.addEventListener('peer:discovery', onDiscovery)
  libp2p.addEventListener('peer:disconnect', onDisconnect)
  return {
    async stop() {
      stopped.abort()
      clearTimeout(retryTimer)
      libp2p.removeEventListener('peer:discovery', onDiscovery)
      libp2p.removeEventListener('peer:disconnect', onDisconnect)
      await Promise.all(dials)
    },
  }
}

/** In a local network each peer is its own: their addresses are all alike. */
function partyOf({ remotePeer, remoteAddr }: Connection): string {
  const address = remoteAddr.toString()
  const isPublic = relayOf(address) !== undefined || scopeOf(hostOf(address)) === 'public'
  return isPublic ? addressGroup(address) : remotePeer.toString()
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return
    map.delete(key)
  }
}
