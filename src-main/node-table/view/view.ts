import type { PeerRecord } from '#shared/records.js'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import { createAddressQuota } from './address-quota.js'
import { createBanList } from './ban-list.js'
import { clientIdOf } from '../wire/canonical-update.js'
import type { CanonicalEntry } from '../wire/canonical-update.js'
import { MAX_CLOCK_SKEW_MS, MAX_ROWS, OWNER_BAN_MS } from '../constants.js'
import { isSignedByOwner, parseEnvelope, recordOf } from '../wire/envelope.js'
import type { Envelope } from '../wire/envelope.js'
import { compareStamps, isEpochAcceptable, isEpochOver, timeOf } from '../wire/epoch.js'
import type { Row, TableEvent } from '../index.js'
import type { KeyRing } from '../wire/key-ring.js'
import { createOfferIndex } from './offer-index.js'
import type { OfferIndex } from './offer-index.js'
import { createTableDigest } from './table-digest.js'
import { fullBucket, refilled } from '../../base/token-bucket.js'
import type { Bucket } from '../../base/token-bucket.js'

/** What came of an envelope. Only `malformed` and `forged` are the fault of whoever sent it. */
export type Verdict =
  | 'accepted'
  /** We have this one or a newer one. */
  | 'known'
  /** Its time is further ahead of ours than clocks may differ. */
  | 'early'
  /** Of an epoch that is over. */
  | 'old'
  /** Its owner changes it faster than anybody needs to; a sync brings it later. */
  | 'too-often'
  /** Its owner signed two rows with one stamp: it is dropped and left out from now on. */
  | 'cheat'
  | 'banned'
  | 'full'
  /** Its owner's address has its share of rows. */
  | 'over-quota'
  | 'newer-version'
  | 'malformed'
  | 'forged'

/**
 * Where an envelope came from: only what strangers push by gossip is limited per owner. `asked`: from its owner, because
 * this node wants to use it, which it may even where the table is full.
 */
export type Source = 'gossip' | 'sync' | 'asked' | 'disk' | 'self'

/** The last valid envelope of an owner. It stays, live or not, until its epoch is over: so nothing older comes back. */
export interface Entry extends CanonicalEntry {
  /** `undefined` in a withdrawal. */
  record: PeerRecord | undefined
  expiresAtMs: number
  /** Set while the row counts. */
  row: Row | undefined
  /** Changes its owner may still push by gossip. */
  changes: Bucket
}

/** The validated view: the authority on who offers what. Everything in it was signed by its owner. */
export interface TableView {
  /** Checks an envelope and takes it in if it is newer than what we have. Keeps a copy of the bytes. Never throws. */
  ingest(bytes: Uint8Array, source: Source): Verdict
  /**
   * Lets go of rows whose lease is over, of entries whose epoch is, and of those later than `latestMs`, which a clock
   * that was wrong has left. Returns whether there were any of the last kind.
   */
  sweep(latestMs?: number): boolean
  /** A peer is connected at this multiaddr: its row counts against the address, and goes if that has enough. */
  verified(peerId: string, multiaddr: string): void
  /** True when a stranger's row is not taken in any more. */
  readonly isFull: boolean
  entry(peerId: string): Entry | undefined
  /** Every entry, dead ones included. */
  all(): IterableIterator<Entry>
  readonly entryCount: number
  get(peerId: string): Row | undefined
  rows(): IterableIterator<Row>
  /** Live rows. */
  readonly size: number
  readonly offers: Pick<OfferIndex, 'providers' | 'entries'>
  /** {@link createTableDigest} over all entries. */
  digest(): Uint8Array
  subscribe(listener: (event: TableEvent) => void): () => void
  /** Calls `listener` with each entry that was taken in. */
  onAccepted(listener: (entry: Entry, source: Source) => void): void
}

const CHANGES_PER_OWNER = { capacity: 30, refillPerS: 0.5 }

/** An empty view. `selfId` is exempt from the row limit and from bans: this node must always see its own row. */
export function createTableView(
  needs: { clock: Clock; keys: KeyRing; log: Log },
  options: { selfId: string; maxRows?: number; maxRowsPerAddress?: number },
): TableView {
  const { clock, keys, log } = needs
  const { selfId, maxRows = MAX_ROWS } = options
  const entries = new Map<string, Entry>()
  /** Entries that no longer count, oldest death first: they make room when the table is full. */
  const dead = new Set<string>()
  const offers = createOfferIndex()
  const digest = createTableDigest()
  const bans = createBanList({ clock })
  const quota = createAddressQuota(options.maxRowsPerAddress)
  const listeners = new Set<(event: TableEvent) => void>()
  const acceptListeners: ((entry: Entry, source: Source) => void)[] = []

  function emit(event: TableEvent): void {
    for (const listener of listeners) {
      try {
        listener(event)
      } catch (error) {
        log.error('a listener of the node table failed', { error })
      }
    }
  }

  /** Ends an entry's life as a row. Returns whether it was one. */
  function kill(entry: Entry): boolean {
    if (entry.row === undefined) return false
    offers.remove(entry.peerId, entry.row.record)
    entry.row = undefined
    dead.add(entry.peerId)
    return true
  }

  function forget(entry: Entry): void {
    entries.delete(entry.peerId)
    dead.delete(entry.peerId)
    quota.remove(entry.peerId)
    digest.toggle(entry.bytes)
  }

  function remove(entry: Entry, reason: 'expired' | 'banned' | 'over-quota'): void {
    const wasLive = kill(entry)
    forget(entry)
    if (wasLive) emit({ type: 'row:removed', peerId: entry.peerId, reason })
  }

  /** Owners that were never connected to this node make room for those that are: they may be no one at all. */
  function unverifiedEntry(): Entry | undefined {
    for (const entry of entries.values()) if (entry.peerId !== selfId && !quota.isVerified(entry.peerId)) return entry
    return undefined
  }

  function oldestEntry(): Entry | undefined {
    for (const entry of entries.values()) if (entry.peerId !== selfId) return entry
    return undefined
  }

  function hasRoomFor(peerId: string, source: Source): boolean {
    if (peerId === selfId || source === 'asked' || entries.has(peerId) || entries.size < maxRows || dead.size > 0)
      return true
    return quota.isVerified(peerId) && unverifiedEntry() !== undefined
  }

  function makeRoomFor(peerId: string): void {
    if (entries.has(peerId) || entries.size < maxRows) return
    for (const oldest of dead) {
      const entry = entries.get(oldest)
      if (entry !== undefined) forget(entry)
      return
    }
    const goes = unverifiedEntry() ?? oldestEntry()
    if (goes !== undefined) remove(goes, 'over-quota')
  }

  /** Everything that can be told without the cost of a signature check. */
  function refusal(envelope: Envelope, known: Entry | undefined, source: Source): Verdict | undefined {
    const now = clock.now()
    if (bans.isBanned(envelope.peerId)) return 'banned'
    if (!isEpochAcceptable(envelope.epoch, now)) return isEpochOver(envelope.epoch, now) ? 'old' : 'early'
    if (timeOf(envelope) > now + MAX_CLOCK_SKEW_MS && source !== 'self') return 'early'
    if (known !== undefined) {
      const order = compareStamps(envelope, known)
      if (order < 0 || (order === 0 && Buffer.compare(envelope.bytes, known.bytes) === 0)) return 'known'
      if (source === 'gossip' && refilled(known.changes, CHANGES_PER_OWNER, now).tokens < 1) return 'too-often'
    }
    if (known === undefined && !quota.mayHold(envelope.peerId)) return 'over-quota'
    return hasRoomFor(envelope.peerId, source) ? undefined : 'full'
  }

  function banOwner(entry: Entry): Verdict {
    const { peerId } = entry
    if (peerId === selfId) {
      log.warn('this node’s identity signed two different rows at one time: is the same key in use elsewhere?', {
        peerId,
      })
      return 'cheat'
    }
    log.warn('a peer signed two different rows with one sequence number and is left out', {
      peerId,
      banMs: OWNER_BAN_MS,
    })
    bans.ban(peerId, OWNER_BAN_MS)
    remove(entry, 'banned')
    return 'cheat'
  }

  function takeIn(envelope: Envelope, record: PeerRecord | undefined, source: Source): Verdict {
    const { peerId, epoch, seq } = envelope
    const now = clock.now()
    const before = entries.get(peerId)
    const wasLive = before !== undefined && kill(before)
    if (before === undefined) makeRoomFor(peerId)
    else forget(before)
    const changes = refilled(before?.changes ?? fullBucket(CHANGES_PER_OWNER, now), CHANGES_PER_OWNER, now)
    const entry: Entry = {
      peerId,
      epoch,
      seq,
      clientId: before?.epoch === epoch ? before.clientId : clientIdOf(peerId, epoch),
      bytes: Uint8Array.from(envelope.bytes),
      record,
      expiresAtMs: timeOf(envelope) + envelope.leaseMs,
      row: undefined,
      changes: { ...changes, tokens: Math.max(0, changes.tokens - 1) },
    }
    if (record !== undefined && entry.expiresAtMs > now) {
      entry.row = { peerId, record, seq, epoch, expiresAtMs: entry.expiresAtMs }
      offers.add(peerId, record)
    } else {
      dead.add(peerId)
    }
    entries.set(peerId, entry)
    quota.add(peerId)
    digest.toggle(entry.bytes)
    if (entry.row !== undefined) emit({ type: wasLive ? 'row:changed' : 'row:added', row: entry.row })
    else if (wasLive) emit({ type: 'row:removed', peerId, reason: record === undefined ? 'withdrawn' : 'expired' })
    for (const listener of acceptListeners) listener(entry, source)
    return 'accepted'
  }

  return {
    ingest(bytes, source) {
      const parsed = parseEnvelope(bytes, keys)
      if (parsed.type !== 'envelope') return parsed.type
      const { envelope } = parsed
      const known = entries.get(envelope.peerId)
      const refused = refusal(envelope, known, source)
      if (refused !== undefined) return refused
      if (!isSignedByOwner(envelope, keys)) return 'forged'
      if (known !== undefined && compareStamps(envelope, known) === 0) return banOwner(known)
      const record = recordOf(envelope)
      if (record === undefined) return 'malformed'
      return takeIn(envelope, record === 'withdrawn' ? undefined : record, source)
    },
    sweep(latestMs = Infinity) {
      const now = clock.now()
      let wereEarly = false
      for (const entry of entries.values()) {
        if (timeOf(entry) > latestMs) {
          remove(entry, 'expired')
          wereEarly = true
        } else if (isEpochOver(entry.epoch, now)) remove(entry, 'expired')
        else if (entry.expiresAtMs <= now && kill(entry)) {
          emit({ type: 'row:removed', peerId: entry.peerId, reason: 'expired' })
        }
      }
      return wereEarly
    },
    verified(peerId, multiaddr) {
      if (quota.verified(peerId, multiaddr)) {
        if (entries.has(peerId)) quota.add(peerId)
        return
      }
      const entry = entries.get(peerId)
      if (entry === undefined || peerId === selfId) return
      log.info('an address has more rows than one may have: the last one is left out', { peerId, multiaddr })
      remove(entry, 'over-quota')
    },
    get isFull() {
      return entries.size >= maxRows && dead.size === 0
    },
    entry: (peerId) => entries.get(peerId),
    all: () => entries.values(),
    get entryCount() {
      return entries.size
    },
    get: (peerId) => entries.get(peerId)?.row,
    *rows() {
      for (const { row } of entries.values()) if (row !== undefined) yield row
    },
    get size() {
      return entries.size - dead.size
    },
    offers,
    digest: () => digest.bytes(),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onAccepted(listener) {
      acceptListeners.push(listener)
    },
  }
}
