import type { Clock, MonotonicClock } from '../../base/clock.js'
import { fullBucket, refilled } from '../../base/token-bucket.js'
import type { Bucket } from '../../base/token-bucket.js'
import type { Log } from '../../logging/index.js'
import type { PassedEnvelope } from '../budget/gossip-budget.js'
import type { Source } from '../view/entry.js'
import type { TableView } from '../view/view.js'
import { isSignedByOwner, parseEnvelope, recordOf } from '../wire/envelope.js'
import type { Envelope } from '../wire/envelope.js'
import { compareLogicalTimes, isEpochAcceptable, isEpochOver, MAX_CLOCK_SKEW_MS, timeOf } from '../wire/epoch.js'
import type { LogicalTime } from '../wire/epoch.js'
import type { KeyRing } from '../wire/key-ring.js'
import type { TableDocuments } from './documents.js'
import { createMicroBatch } from './micro-batch.js'
import type { Defer, MicroBatch } from './micro-batch.js'
import type { EquivocationProof } from './proofs.js'
import { createBanList } from './sender-limits.js'
import type { BanList } from './sender-limits.js'

/** What came of an envelope. Only `malformed` and `forged` are the sender's fault. */
export type Verdict =
  /** It is verified, and enters its document with the next micro-batch. */
  | 'accepted'
  /** We have this one or a newer one. */
  | 'known'
  /** Its time is further ahead of ours than clocks may differ. */
  | 'early'
  /** Of an epoch that is over. */
  | 'old'
  /** Its owner changes it faster than anybody needs to; a sync brings it later. */
  | 'too-often'
  /** Its owner signed two rows with one logical time: they are dropped, and it is left out for a while. */
  | 'equivocation'
  | 'banned'
  | 'full'
  /** Its owner's address has its share of rows, or whoever brought it has brought too much of what may not be there. */
  | 'over-quota'
  | 'newer-version'
  | 'malformed'
  | 'forged'

/** The one way into the table: checks envelopes, and hands those that pass to the documents. */
export interface Verifier {
  /**
   * Checks an envelope; one that is newer than what we have goes into its document, with the next micro-batch, or at once
   * where it is this node's own or was asked for. `bringer` is the peer that sent it: rows of owners that were never met
   * are charged to it. Keeps no reference to the bytes. Never throws.
   */
  ingest(bytes: Uint8Array, source: Source, bringer?: string): Verdict
  /** What an envelope that was just accepted is to others (see the gossip budget). */
  passed(bytes: Uint8Array): Pick<PassedEnvelope, 'kind' | 'owner'>
  /** Puts what waits into the documents now. */
  flush(): void
  /** Calls `listener` with each proof of an equivocation that came up, and was not known. */
  onProof(listener: (proof: EquivocationProof) => void): void
  /** Resolves when all that was accepted until now is in the view. */
  settled(): Promise<void>
  /** Puts what waits into the documents; what comes later is left out. */
  close(): void
}

/** What {@link createVerifier} works with. */
export interface VerifierNeeds {
  view: TableView
  documents: TableDocuments
  keys: KeyRing
  clock: Clock
  monotonic: MonotonicClock
  log: Log
  /** When micro-batches are written. */
  defer?: Defer
}

/** What is known of an owner: the row that waits, the one in the view, or the one that the view has removed. */
interface Known extends LogicalTime {
  bytes: Uint8Array
  changes?: Bucket
  isRemoved?: boolean
}

/** How long the owner of two different envelopes with one sequence number is left out, at least. */
const OWNER_BAN_MS = 10 * 60 * 1000
const CHANGES_PER_OWNER = { capacity: 30, refillPerS: 0.5 }

/** A verifier in front of these documents. `selfId` is exempt from bans: this node must always see its own row. */
export function createVerifier(needs: VerifierNeeds, options: { selfId: string }): Verifier {
  return new EnvelopeVerifier(needs, options)
}

class EnvelopeVerifier implements Verifier {
  readonly #view: TableView
  readonly #documents: TableDocuments
  readonly #keys: KeyRing
  readonly #clock: Clock
  readonly #monotonic: MonotonicClock
  readonly #log: Log
  readonly #selfId: string
  readonly #bans: BanList
  readonly #batch: MicroBatch
  readonly #proofListeners: ((proof: EquivocationProof) => void)[] = []

  constructor(needs: VerifierNeeds, { selfId }: { selfId: string }) {
    const { documents, monotonic, defer } = needs
    this.#view = needs.view
    this.#documents = documents
    this.#keys = needs.keys
    this.#clock = needs.clock
    this.#monotonic = monotonic
    this.#log = needs.log
    this.#selfId = selfId
    this.#bans = createBanList({ monotonic })
    this.#batch = createMicroBatch({ write: (rows) => documents.write(rows), defer })
  }

  ingest(bytes: Uint8Array, source: Source, bringer = ''): Verdict {
    const parsed = parseEnvelope(bytes, this.#keys)
    if (parsed.type !== 'envelope') return parsed.type
    const { envelope } = parsed
    const known = this.#known(envelope.peerId)
    const refused = this.#refusal(envelope, known, source)
    if (refused !== undefined) return refused
    if (known !== undefined && compareLogicalTimes(envelope, known) === 0 && !hasSameBytes(envelope, known)) {
      const isSigned = isSignedByOwner(envelope, this.#keys)
      return isSigned ? this.#equivocation(envelope, known.bytes, source) : 'forged'
    }
    const record = recordOf(envelope)
    if (record === undefined) return isSignedByOwner(envelope, this.#keys) ? 'malformed' : 'forged'
    const { peerId, epoch, seq, leaseMs } = envelope
    const changes = this.#changesOf(known)
    const expiresAtMs = timeOf(envelope) + leaseMs
    const leftMs = Math.min(leaseMs, expiresAtMs - this.#clock.now())
    const row = {
      ...{ peerId, epoch, seq, bytes, source },
      record: record === 'withdrawn' ? undefined : record,
      expiresAtMs,
      endsAtMs: this.#monotonic.elapsedMs() + leftMs,
      changes: { ...changes, tokens: Math.max(0, changes.tokens - 1) },
    }
    // What is refused anyhow is not worth the check of a signature, nor its key a place among those that are kept.
    if (!this.#view.mayCharge(row, bringer)) return 'over-quota'
    if (!isSignedByOwner(envelope, this.#keys)) return 'forged'
    if (!this.#view.charge(row, bringer)) return 'over-quota'
    this.#batch.add(row, this.#view.entry(peerId) === undefined)
    if (source === 'self' || source === 'asked') this.#batch.flush()
    return 'accepted'
  }

  passed(bytes: Uint8Array): Pick<PassedEnvelope, 'kind' | 'owner'> {
    const parsed = parseEnvelope(bytes, this.#keys)
    if (parsed.type !== 'envelope') return { kind: 'nothing', owner: '' }
    const { peerId } = parsed.envelope
    return { kind: this.#kindOf(peerId), owner: peerId }
  }

  #kindOf(peerId: string): PassedEnvelope['kind'] {
    const row = this.#batch.get(peerId)
    if (row !== undefined && row.record === undefined) {
      return this.#view.get(peerId) === undefined ? 'nothing' : 'withdrawal'
    }
    const { service = [] } = (row ?? this.#view.get(peerId))?.record ?? {}
    return service.some(({ identity_group: entries }) => entries.length > 0) ? 'row' : 'nothing'
  }

  flush(): void {
    this.#batch.flush()
  }

  onProof(listener: (proof: EquivocationProof) => void): void {
    this.#proofListeners.push(listener)
  }

  settled(): Promise<void> {
    return this.#batch.settled()
  }

  close(): void {
    this.#batch.close()
  }

  /**
   * A row that was removed keeps older ones of its owner out for as long as a document holds it; except one from a time
   * still to come, which a clock that was wrong has left.
   */
  #known(peerId: string): Known | undefined {
    const present = this.#batch.get(peerId) ?? this.#view.entry(peerId)
    if (present !== undefined) return present
    const removed = this.#documents.find(peerId)
    if (removed === undefined || timeOf(removed) > this.#clock.now() + MAX_CLOCK_SKEW_MS) return undefined
    return { ...removed, isRemoved: true }
  }

  /** Everything that can be told without the cost of a signature check. */
  #refusal(envelope: Envelope, known: Known | undefined, source: Source): Verdict | undefined {
    const now = this.#clock.now()
    const { peerId, epoch } = envelope
    if (this.#bans.isBanned(peerId)) return 'banned'
    if (!isEpochAcceptable(epoch, now)) return isEpochOver(epoch, now) ? 'old' : 'early'
    if (timeOf(envelope) > now + MAX_CLOCK_SKEW_MS && source !== 'self') return 'early'
    const isPresent = known !== undefined && known.isRemoved !== true
    if (known !== undefined) {
      const order = compareLogicalTimes(envelope, known)
      // One that was removed may come back as it was.
      if (order < 0 || (order === 0 && isPresent && hasSameBytes(envelope, known))) return 'known'
      if (source === 'gossip' && this.#changesOf(known).tokens < 1) return 'too-often'
    }
    if (isPresent) return undefined
    if (!this.#view.mayHold(peerId)) return 'over-quota'
    return this.#view.hasRoomFor(peerId, source, this.#batch.newOwners) ? undefined : 'full'
  }

  #changesOf(known: Known | undefined): Bucket {
    const now = this.#monotonic.elapsedMs()
    return refilled(known?.changes ?? fullBucket(CHANGES_PER_OWNER, now), CHANGES_PER_OWNER, now)
  }

  /** `bytes` and the envelope are both signed, and differ. They prove it to others for as long as one of them counts. */
  #equivocation(envelope: Envelope, bytes: Uint8Array, source: Source): Verdict {
    const { peerId, epoch, seq } = envelope
    if (peerId === this.#selfId) {
      this.#log.warn('this node’s identity signed two different rows at one time: is the same key in use elsewhere?', {
        peerId,
      })
      return 'equivocation'
    }
    const now = this.#clock.now()
    const leaseMs = Math.max(OWNER_BAN_MS, envelope.leaseMs, this.#leaseOf(bytes))
    const endsAtMs = timeOf(envelope) + leaseMs
    // Else who brings them again would renew the ban.
    if (endsAtMs <= now) return 'known'
    const banMs = Math.max(OWNER_BAN_MS, endsAtMs - now)
    this.#log.warn('a peer signed two different rows with one sequence number and is left out', { peerId, banMs })
    this.#bans.ban(peerId, banMs)
    this.#batch.drop(peerId)
    this.#view.remove(peerId, 'banned')
    const [a, b] = [Uint8Array.from(bytes), Uint8Array.from(envelope.bytes)]
    const proof = {
      peerId,
      epoch,
      seq,
      envelopes: Buffer.compare(a, b) < 0 ? ([a, b] as const) : ([b, a] as const),
      endsAtMs,
    }
    const isKept = this.#documents.keepProof(proof)
    if (isKept) this.#batch.touch()
    if (isKept && source !== 'disk') for (const listener of this.#proofListeners) listener(proof)
    return 'equivocation'
  }

  #leaseOf(bytes: Uint8Array): number {
    const parsed = parseEnvelope(bytes, this.#keys)
    return parsed.type === 'envelope' ? parsed.envelope.leaseMs : 0
  }
}

function hasSameBytes(a: { bytes: Uint8Array }, b: { bytes: Uint8Array }): boolean {
  return Buffer.compare(a.bytes, b.bytes) === 0
}
