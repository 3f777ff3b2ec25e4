import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Clock } from '../../clock.js'
import type { Service } from '../../lifecycle.js'
import type { Log } from '../../logging/index.js'
import type { NodeTable } from '../../node-table/index.js'
import type { Host } from '../../p2p/index.js'

/** Which providers can be asked at all: those that failed are left alone for a growing while and probed meanwhile. */
export interface Reachability extends Service {
  /** False while the peer is in quarantine. */
  isRoutable(peerId: string): boolean
  /** The peer could not be reached, or its connection was lost before it answered. */
  reportFailure(peerId: string, reason: string): void
  /** The peer answered. */
  reportSuccess(peerId: string): void
  /** Why a peer is in quarantine; undefined while it is not. */
  reasonOf(peerId: string): string | undefined
}

interface Quarantine {
  failures: number
  probeAtMs: number
  reason: string
  probing: boolean
}

const FIRST_BACKOFF_MS = 5_000
const MAX_BACKOFF_MS = 5 * 60_000
const PROBE_TIMEOUT_MS = 5_000
const MAX_PROBES_AT_ONCE = 4
const TICK_MS = 1_000

/** Milliseconds a peer is left alone after its n-th failure in a row (n ≥ 1): 5 s, doubling up to 5 min. */
export function quarantineMs(failures: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10), MAX_BACKOFF_MS)
}

/** Quarantine over the table's peers: at most one entry a row. A peer that connects by itself is free at once. */
export function createReachability(needs: { host: Host; table: NodeTable; clock: Clock; log: Log }): Reachability {
  const { host, table, clock } = needs
  const log = needs.log.forComponent('reachability')
  const quarantined = new Map<string, Quarantine>()
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let unsubscribe: (() => void) | undefined
  let probes = 0

  function quarantine(peerId: string, reason: string): void {
    if (table.get(peerId) === undefined) return
    const entry = quarantined.get(peerId) ?? { failures: 0, probeAtMs: 0, reason, probing: false }
    entry.failures += 1
    entry.reason = reason
    entry.probeAtMs = clock.now() + quarantineMs(entry.failures)
    if (entry.failures === 1) log.info('a provider does not answer and is left alone for a while', { peerId, reason })
    quarantined.set(peerId, entry)
  }

  function release(peerId: string): void {
    if (quarantined.delete(peerId)) log.info('a provider answers again', { peerId })
  }

  /** Dials without a request at stake. */
  async function probe(peerId: string): Promise<void> {
    if (probes >= MAX_PROBES_AT_ONCE) return
    probes += 1
    const entry = quarantined.get(peerId)
    if (entry !== undefined) entry.probing = true
    try {
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)])
      await host.libp2p.dial(peerIdFromString(peerId), { signal })
      release(peerId)
    } catch (error) {
      if (!stopping.signal.aborted)
        quarantine(peerId, error instanceof Error ? error.message.slice(0, 120) : 'dial failed')
    } finally {
      probes -= 1
      if (entry !== undefined) entry.probing = false
    }
  }

  function tick(): void {
    const now = clock.now()
    for (const [peerId, entry] of quarantined) {
      if (entry.probing || entry.probeAtMs > now) continue
      if (probes >= MAX_PROBES_AT_ONCE) return
      void probe(peerId)
    }
  }

  const onConnect = (event: CustomEvent<PeerId>): void => release(event.detail.toString())
  const onDisconnect = (event: CustomEvent<PeerId>): void => {
    const peerId = event.detail.toString()
    if (table.get(peerId) !== undefined && !quarantined.has(peerId)) void probe(peerId)
  }

  return {
    name: 'reachability',
    start() {
      host.libp2p.addEventListener('peer:connect', onConnect)
      host.libp2p.addEventListener('peer:disconnect', onDisconnect)
      unsubscribe = table.subscribe((event) => {
        if (event.type === 'row:removed') quarantined.delete(event.peerId)
      })
      timer = setInterval(tick, TICK_MS)
      timer.unref()
      return Promise.resolve()
    },
    stop() {
      stopping.abort()
      clearInterval(timer)
      unsubscribe?.()
      host.libp2p.removeEventListener('peer:connect', onConnect)
      host.libp2p.removeEventListener('peer:disconnect', onDisconnect)
      return Promise.resolve()
    },
    isRoutable: (peerId) => !quarantined.has(peerId),
    reasonOf: (peerId) => quarantined.get(peerId)?.reason,
    reportFailure: quarantine,
    reportSuccess(peerId) {
      if (quarantined.size > 0) quarantined.delete(peerId)
    },
  }
}
