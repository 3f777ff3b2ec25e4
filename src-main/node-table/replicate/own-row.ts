import type { PeerRecord } from '#shared/records.js'
import type { Clock, MonotonicClock } from '../../base/clock.js'
import { fullBucket, refilled } from '../../base/token-bucket.js'
import type { Log } from '../../logging/index.js'
import type { TableView } from '../view/view.js'
import { encodeRecord, MAX_LEASE_MS } from '../wire/envelope.js'
import type { EnvelopeSigner } from '../wire/envelope.js'
import { compareLogicalTimes, EPOCH_MS, epochOf, epochStart, timeOf } from '../wire/epoch.js'
import type { LogicalTime } from '../wire/epoch.js'
import type { Verifier } from './verifier.js'

/** Keeps this node's own row in the table: signs it, renews it, asserts it against older selves. */
export interface OwnRow {
  /** Signs and sends the record. A record that says nothing new is not sent again. */
  publish(record: PeerRecord): Promise<void>
  /** Signs and sends that this node offers nothing any more, unless it never offered anything. */
  withdraw(): Promise<void>
  /** Sends the row again under a new time, as some did not get it. Does nothing without a row. */
  repeat(): Promise<void>
  /** Renews the row when that is due, or when the view has lost it because the clock was set. */
  tick(): Promise<void>
  /** Makes a renewal due now: the clock was set, or the machine slept, and others may take the row for over. */
  hurry(): void
  /** Milliseconds of a lease signed now. */
  leaseMs(): number
  /** Reports an entry under this node's id that it did not sign just now; true where it is newer than all it did sign. */
  seen(entry: LogicalTime): boolean
}

/** Rows of one owner that others take per time (see view); what is above waits and only its last state is sent. */
const OWN_CHANGES = { capacity: 20, refillPerS: 0.4 }
/** One row on the wire, and how often gossip brings it in a large mesh (measured: 7 copies). */
const RENEWAL_COST_BYTES = 1100 * 7
/** After an epoch begins, owners move their rows into it within this time, each at its own moment. */
const REASSERT_WITHIN_MS = 60 * 60 * 1000
/** A wait between two assertions against another node with this key: doubles up to the maximum. */
const CONFLICT_FIRST_MS = 1000
const CONFLICT_MAX_MS = 5 * 60 * 1000

/**
 * The longest lease in a network whose tables are partial. A row reaches few there, so its renewals cost little, and most
 * of those that have it never hear of its withdrawal.
 */
const PARTIAL_LEASE_MS = 2 * 60 * 60 * 1000

/**
 * The lease for a table of `rows` rows: at least `minimumMs`, longer where the renewals of all would cost a node more
 * than its budget, and at most {@link PARTIAL_LEASE_MS} where tables are partial (see the gossip budget).
 */
export function leaseFor(
  rows: number,
  options: { minimumMs: number; budgetBytesPerS: number; isPartial?: boolean },
): number {
  const { minimumMs, budgetBytesPerS, isPartial = false } = options
  const renewEveryMs = ((rows * RENEWAL_COST_BYTES) / budgetBytesPerS) * 1000
  const longestMs = isPartial ? Math.max(minimumMs, PARTIAL_LEASE_MS) : MAX_LEASE_MS
  return Math.round(Math.min(longestMs, Math.max(minimumMs, 2 * renewEveryMs)))
}

/** This node's own row. `send` pushes an envelope to the network. */
export function createOwnRow(
  needs: {
    view: TableView
    verifier: Pick<Verifier, 'ingest' | 'flush'>
    signer: EnvelopeSigner
    clock: Clock
    monotonic: MonotonicClock
    log: Log
    send: (envelope: Uint8Array) => Promise<void>
    /** The latest time of a row that others took (see the clock watch). */
    latestMs: () => number
    /** Whether the table holds only a part of the network; absent: no. */
    isPartial?: () => boolean
  },
  options: { peerId: string; leaseMs: number; budgetBytesPerS: number; random?: () => number },
): OwnRow {
  const { view, verifier, signer, clock, monotonic, log, send, latestMs } = needs
  const { peerId } = options
  const random = options.random ?? Math.random
  let wanted: { record: PeerRecord; json: string } | undefined
  let last: LogicalTime | undefined
  /** On the monotonic clock. */
  let renewAtMs = Infinity
  let changes = fullBucket(OWN_CHANGES, monotonic.elapsedMs())
  let conflictWaitMs = CONFLICT_FIRST_MS

  function leaseMs(): number {
    return leaseFor(view.size, {
      ...{ minimumMs: options.leaseMs, budgetBytesPerS: options.budgetBytesPerS },
      isPartial: needs.isPartial?.() ?? false,
    })
  }

  /**
   * Newer than anything signed or seen under this id, whatever happened to the clock or the disk. What was signed while
   * the clock was wrong does not count: no one took it.
   */
  function nextTime(): LogicalTime {
    const now = clock.now()
    const natural: LogicalTime = { epoch: epochOf(now), seq: now - epochStart(epochOf(now)) }
    const seen = [last, view.entry(peerId)]
      .filter((time) => time !== undefined)
      .filter((time) => timeOf(time) <= latestMs())
    return seen.reduce<LogicalTime>(
      (time, other) => (compareLogicalTimes(time, other) > 0 ? time : { epoch: other.epoch, seq: other.seq + 1 }),
      natural,
    )
  }

  function scheduleRenewal(lease: number): void {
    const now = clock.now()
    const nextEpochInMs = (epochOf(now) + 1) * EPOCH_MS - now
    const inMs = Math.min(lease * (0.4 + random() * 0.1), nextEpochInMs + random() * REASSERT_WITHIN_MS)
    renewAtMs = monotonic.elapsedMs() + inMs
  }

  async function assert(record: PeerRecord | undefined): Promise<void> {
    // Another node with this key may have signed what still waits.
    verifier.flush()
    const time = nextTime()
    const lease = leaseMs()
    const envelope = signer.sign({ ...time, leaseMs: lease, record })
    last = time
    const level = refilled(changes, OWN_CHANGES, monotonic.elapsedMs())
    changes = { ...level, tokens: Math.max(0, level.tokens - 1) }
    if (record === undefined) renewAtMs = Infinity
    else scheduleRenewal(lease)
    const verdict = verifier.ingest(envelope, 'self')
    if (verdict !== 'accepted') log.warn('this node’s own row was not taken', { verdict })
    await send(envelope)
  }

  function hasChangeLeft(): boolean {
    return refilled(changes, OWN_CHANGES, monotonic.elapsedMs()).tokens >= 1
  }

  return {
    async publish(record) {
      const json = encodeRecord(record)
      if (wanted?.json === json && view.get(peerId) !== undefined) return
      wanted = { record, json }
      if (hasChangeLeft()) await assert(record)
      else renewAtMs = Math.min(renewAtMs, monotonic.elapsedMs() + 1000 / OWN_CHANGES.refillPerS)
    },
    async withdraw() {
      wanted = undefined
      const entry = view.entry(peerId)
      if (entry?.record !== undefined) await assert(undefined)
      renewAtMs = Infinity
    },
    async repeat() {
      if (wanted !== undefined && hasChangeLeft()) await assert(wanted.record)
    },
    async tick() {
      const isDue = monotonic.elapsedMs() >= renewAtMs || view.entry(peerId) === undefined
      if (wanted === undefined || !isDue || !hasChangeLeft()) return
      await assert(wanted.record)
    },
    hurry() {
      if (last !== undefined) renewAtMs = -Infinity
    },
    leaseMs,
    seen(time) {
      if (last !== undefined && compareLogicalTimes(time, last) <= 0) return false
      if (wanted === undefined) return true
      log.warn('a newer row of this node came from the network; it is replaced', {
        epoch: time.epoch,
        seq: time.seq,
        waitMs: conflictWaitMs,
      })
      renewAtMs = Math.min(renewAtMs, monotonic.elapsedMs() + (last === undefined ? 0 : conflictWaitMs))
      conflictWaitMs = Math.min(CONFLICT_MAX_MS, conflictWaitMs * 2)
      return true
    },
  }
}
