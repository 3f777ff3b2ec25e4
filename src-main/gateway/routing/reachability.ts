import type { PeerId } from '@libp2p/interface'
import type { Clock } from '../../base/clock.js'
import type { Service } from '../../base/lifecycle.js'
import type { Log } from '../../logging/index.js'
import { epochStart } from '../../node-table/wire/epoch.js'
import type { NodeTable, PeerStatusEvent } from '../../node-table/index.js'
import type { Host } from '../../p2p/index.js'

/** Which providers can be asked at all: those that failed are left alone for a growing while and probed meanwhile. */
export interface Reachability extends Service {
  /** False while the peer is in quarantine, or says that it takes no requests. */
  isRoutable(peerId: string): boolean
  /** The peer could not be reached, or its connection was lost before it answered. */
  reportFailure(peerId: string, reason: string): void
  /**
   * Why an answer of this peer may have broken off without anything having failed: asks the peer itself, for 2 s at
   * most. Undefined where it names no reason. Never rejects.
   */
  whyBrokenOff(peerId: string): Promise<string | undefined>
  /** The peer answered. */
  reportSuccess(peerId: string): void
  /** Why a peer is not routable; undefined while it is. */
  reasonOf(peerId: string): string | undefined
  /** Calls `listener` when a peer goes into quarantine or leaves it; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

interface Quarantine {
  failures: number
  failedAtMs: number
  probeAtMs: number
  reason: string
  probing: boolean
}

const FIRST_BACKOFF_MS = 5_000
const MAX_BACKOFF_MS = 5 * 60_000
const MAX_PROBES_AT_ONCE = 4
const TICK_MS = 1_000
/** A client waits this long for the reason why its answer broke off. */
const REASON_WITHIN_MS = 2_000

/** Milliseconds a peer is left alone after its n-th failure in a row (n ≥ 1): 5 s, doubling up to 5 min. */
export function quarantineMs(failures: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10), MAX_BACKOFF_MS)
}

/** Quarantine over the table's peers: at most one entry a row. A peer that connects by itself is free at once. */
export function createReachability(needs: { host: Host; table: NodeTable; clock: Clock; log: Log }): Reachability {
  const { host, table, clock } = needs
  const log = needs.log.forComponent('reachability')
  const quarantined = new Map<string, Quarantine>()
  const listeners = new Set<() => void>()
  let isStopped = false
  let timer: NodeJS.Timeout | undefined
  const subscriptions: (() => void)[] = []
  let probes = 0

  function quarantine(peerId: string, reason: string): void {
    if (table.get(peerId) === undefined) return
    const entry = quarantined.get(peerId) ?? { failures: 0, failedAtMs: 0, probeAtMs: 0, reason, probing: false }
    // Requests that were under way fail together: that is one failure.
    if (entry.failures > 0 && !entry.probing && clock.now() < entry.probeAtMs) return
    entry.failures += 1
    entry.reason = reason
    entry.failedAtMs = clock.now()
    entry.probeAtMs = entry.failedAtMs + quarantineMs(entry.failures)
    quarantined.set(peerId, entry)
    if (entry.failures > 1) return
    log.info('a provider does not answer and is left alone for a while', { peerId, reason })
    changed()
  }

  function release(peerId: string): void {
    if (!quarantined.delete(peerId)) return
    log.info('a provider answers again', { peerId })
    changed()
  }

  function changed(): void {
    for (const listener of [...listeners]) listener()
  }

  /** A peer that signs a row is alive, or was a moment ago: it is asked soon, however long it was to be left alone. */
  function hurry(peerId: string): void {
    const entry = quarantined.get(peerId)
    if (entry !== undefined) entry.probeAtMs = Math.min(entry.probeAtMs, entry.failedAtMs + FIRST_BACKOFF_MS)
  }

  /** Asks without a request at stake; what comes of it is heard by {@link onStatus}. */
  async function probe(peerId: string, entry: Quarantine): Promise<void> {
    probes += 1
    entry.probing = true
    await table.status.refresh(peerId)
    probes -= 1
    entry.probing = false
  }

  function onStatus({ peerId, outcome }: PeerStatusEvent): void {
    if (isStopped) return
    if (outcome.kind === 'unreachable') quarantine(peerId, outcome.reason)
    else if (outcome.kind === 'invalid') quarantine(peerId, 'its status is not signed by it')
    else release(peerId)
  }

  function pausedReason(peerId: string): string | undefined {
    const status = table.status.peek(peerId)
    if (status?.paused == null) return undefined
    const row = table.get(peerId)
    // Whichever the peer signed last is how it is; a row that is paused offers nothing.
    const isOutdated = row !== undefined && epochStart(row.epoch) + row.seq > status.timeMs
    return isOutdated ? undefined : status.paused
  }

  function tick(): void {
    const now = clock.now()
    for (const [peerId, entry] of quarantined) {
      if (entry.probing || entry.probeAtMs > now) continue
      if (probes >= MAX_PROBES_AT_ONCE) return
      void probe(peerId, entry)
    }
  }

  const onConnect = (event: CustomEvent<PeerId>): void => release(event.detail.toString())
  const onDisconnect = (event: CustomEvent<PeerId>): void => {
    const peerId = event.detail.toString()
    if (table.get(peerId) !== undefined && !quarantined.has(peerId)) table.status.hint(peerId)
  }

  return {
    name: 'reachability',
    start() {
      host.libp2p.addEventListener('peer:connect', onConnect)
      host.libp2p.addEventListener('peer:disconnect', onDisconnect)
      subscriptions.push(
        table.subscribe((event) => {
          if (event.type === 'row:removed') quarantined.delete(event.peerId)
          else hurry(event.row.peerId)
        }),
        table.status.subscribe(onStatus),
      )
      timer = setInterval(tick, TICK_MS)
      timer.unref()
      return Promise.resolve()
    },
    stop() {
      isStopped = true
      clearInterval(timer)
      for (const unsubscribe of subscriptions.splice(0)) unsubscribe()
      host.libp2p.removeEventListener('peer:connect', onConnect)
      host.libp2p.removeEventListener('peer:disconnect', onDisconnect)
      return Promise.resolve()
    },
    isRoutable: (peerId) => !quarantined.has(peerId) && pausedReason(peerId) === undefined,
    reasonOf: (peerId) => quarantined.get(peerId)?.reason ?? pausedReason(peerId),
    reportFailure: quarantine,
    async whyBrokenOff(peerId) {
      const outcome = await within(REASON_WITHIN_MS, table.status.refresh(peerId))
      return outcome?.kind === 'answered' ? (outcome.status.paused ?? undefined) : undefined
    },
    reportSuccess(peerId) {
      if (quarantined.size > 0 && quarantined.delete(peerId)) changed()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

/** What comes of `work`, or undefined where it takes longer. */
async function within<T>(limitMs: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs).unref()
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
