import type { Clock, MonotonicClock } from '../../base/clock.js'
import { type Bucket, type BucketRate, fullBucket, refilled } from '../../base/token-bucket.js'
import type { Log } from '../../logging/index.js'
import { type Block, encodeBlock } from '../codecs/block.js'
import { type Cid, cidOf } from '../codecs/cid.js'
import { encodeRecord, saysLeft } from '../codecs/record.js'
import type { GoRow } from '../reading/go-row.js'
import type { History } from './history.js'
import { Listings } from './listings.js'

/** What {@link Publisher} works with. */
export interface PublisherNeeds {
  peerId: string
  /** Models that everyone may use now; none while sharing is paused. */
  models: () => readonly string[]
  history: Pick<History, 'highest' | 'heads' | 'isCaughtUp' | 'wrote'>
  /** Names these blocks to the network as the newest. */
  broadcast: (heads: readonly Cid[]) => void
  /** Says to the network that this node is there. */
  sayHere: () => void
  /** Nodes of the Go network are connected. */
  isMet: () => boolean
  clock: Clock
  monotonic: MonotonicClock
  log: Log
}

/** Blocks that are written: each costs a network of ten some 100 KB. */
const WRITES: BucketRate = { capacity: 8, refillPerS: 1 / 60 }
/** A good-bye has to be possible in any case. */
const KEPT_FOR_LEAVING = 1
/** Changes that come close together are written once. */
const SETTLE_MS = 1_000
/** So long the first record waits for word of others' history, ms: nodes name their newest blocks every 5 s or so. */
const LISTEN_FIRST_MS = 8_000
const TICK_MS = 250
const SAY_HERE_EVERY_MS = 20_000
/** When a block is named again, ms after it was written, unless somebody else has named it meanwhile. */
const FIRST_AGAIN_MS = 5_000
const NAMED_AGAIN_MS = [FIRST_AGAIN_MS, 30_000, 90_000, 300_000]
/** Own blocks that are kept for whoever walks the history. */
const MAX_OWN_BLOCKS = 64
/** Tables in a row that lack this node before its record is written anew. */
const MISSED_BEFORE_WRITING = 3
/** A leaving node waits so long for somebody to fetch its good-bye, ms. */
const LEAVE_WITHIN_MS = 1_000
/** Bytes of names in a record; the rest is not offered. */
const MAX_NAMES_BYTES = 32 * 1024

/** The record as it was written last. */
interface Written {
  cid: Cid
  priority: number
  models: readonly string[]
  hasLeft: boolean
  atMs: number
  namedAgain: number
  /** Somebody else has it: it was fetched, or named by another. */
  isTaken: boolean
}

/**
 * Keeps this node's record in the Go network as it is: written when something changes, when somebody else wrote under its
 * name, and when nodes lost it; never renewed, for there is no lease.
 */
export class Publisher {
  readonly #needs: PublisherNeeds
  readonly #own = new Map<Cid, Uint8Array>()
  readonly #listings = new Listings()
  #written: Written | undefined
  #bucket: Bucket
  #metAtMs: number | undefined
  #changedAtMs = 0
  #saidHereAtMs = Number.NEGATIVE_INFINITY
  #mustRewrite = false
  #ticking: NodeJS.Timeout | undefined
  #onTaken: () => void = () => undefined
  #hasLostHeight = false

  constructor(needs: PublisherNeeds) {
    this.#needs = needs
    this.#bucket = fullBucket(WRITES, needs.monotonic.elapsedMs())
  }

  start(): void {
    this.#changedAtMs = Number.NEGATIVE_INFINITY
    this.#ticking = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Says good-bye, and waits a moment for somebody to hear it. */
  async stop(): Promise<void> {
    clearInterval(this.#ticking)
    const written = this.#written
    if (this.#ticking === undefined || written === undefined || written.hasLeft || !this.#needs.isMet()) return
    const taken = new Promise<void>((resolve) => {
      this.#onTaken = resolve
      setTimeout(resolve, LEAVE_WITHIN_MS)
    })
    this.#write([], true)
    await taken
  }

  /** What this node offers has changed. */
  changed(): void {
    this.#changedAtMs = this.#needs.monotonic.elapsedMs()
  }

  /** A node of the Go network came: it may not have heard what was said before. */
  met(): void {
    if (this.#written === undefined || this.#written.hasLeft) return
    this.#needs.broadcast([this.#written.cid])
    this.#sayHere()
  }

  /** A block of this node's own that others may ask for. */
  block(cid: Cid): Uint8Array | undefined {
    return this.#own.get(cid)
  }

  /** Somebody has this block now, or names it. */
  taken(cid: Cid): void {
    const written = this.#written
    if (written?.cid !== cid || written.isTaken) return
    written.isTaken = true
    this.#onTaken()
    // Of one that nobody knew yet, no node has taken down that it is there.
    if (!written.hasLeft) this.#saidHereAtMs = this.#needs.monotonic.elapsedMs() - SAY_HERE_EVERY_MS + SETTLE_MS
  }

  /** A block that somebody else wrote: where it says something of this node, it may have to be said anew. */
  seen(cid: Cid, { elements, tombstones, links, priority }: Block): void {
    for (const link of links) this.taken(link)
    const written = this.#written
    if (written === undefined || this.#own.has(cid)) return
    const key = `/${this.#needs.peerId}`
    const about = [...elements, ...tombstones].find((element) => element.key === key)
    if (about === undefined || priority < written.priority) return
    if (written.hasLeft && saysLeft(about.value)) return
    this.#needs.log.info('somebody else wrote the record of this node; it is written anew', {
      evicted: saysLeft(about.value),
    })
    this.#mustRewrite = true
  }

  /** What a node of the Go network shows of this one. */
  shown(peerId: string, own: GoRow | undefined): void {
    const { monotonic, log } = this.#needs
    const written = this.#written
    if (written === undefined || written.hasLeft) return
    const missed = this.#listings.note(peerId, own, written.models)
    const isOld = monotonic.elapsedMs() - written.atMs > FIRST_AGAIN_MS
    if (missed === 0 || !isOld) return
    // It may have lost its store, or never got the block: cheap first.
    this.met()
    if (missed !== MISSED_BEFORE_WRITING) return
    log.info('a node of the Go network does not list this one; the record is written once more', { peerId })
    this.#mustRewrite = true
  }

  /** Nodes that are not connected any more say nothing. */
  nodes(peerIds: readonly string[]): void {
    this.#listings.keepOnly(peerIds)
  }

  /** What is offered there, and how many nodes list it as it is or not. */
  view(): { models: number; listedBy: number; notListedBy: number } {
    const written = this.#written
    return { models: written?.hasLeft === false ? written.models.length : 0, ...this.#listings.count() }
  }

  #tick(): void {
    const { monotonic, isMet } = this.#needs
    const now = monotonic.elapsedMs()
    if (!isMet()) return
    this.#metAtMs ??= now
    this.#writeWhereDue(now)
    this.#nameAgain(now)
    const isHere = this.#written !== undefined && !this.#written.hasLeft
    if (isHere && now - this.#saidHereAtMs >= SAY_HERE_EVERY_MS) this.#sayHere()
  }

  #writeWhereDue(now: number): void {
    const { history } = this.#needs
    if (now - this.#changedAtMs < SETTLE_MS) return
    const models = withinBudget(this.#needs.models())
    const written = this.#written
    const isNews =
      written === undefined
        ? models.length > 0
        : this.#mustRewrite || (models.length === 0) !== written.hasLeft || !isSame(models, written.models)
    if (!isNews || this.#hasLostHeight) return
    // Too low a record is passed over without a word.
    const hasListened = history.highest > 0 && history.isCaughtUp
    if (!hasListened && now - (this.#metAtMs ?? now) < LISTEN_FIRST_MS) return
    this.#bucket = refilled(this.#bucket, WRITES, now)
    if (this.#bucket.tokens < 1 + KEPT_FOR_LEAVING) return
    this.#bucket = { ...this.#bucket, tokens: this.#bucket.tokens - 1 }
    this.#write(models, models.length === 0)
  }

  #write(models: readonly string[], hasLeft: boolean): void {
    const { peerId, history, broadcast, clock, monotonic, log } = this.#needs
    const priority = 1 + Math.max(history.highest, this.#written?.priority ?? 0)
    if (!Number.isSafeInteger(priority)) {
      // Whoever wrote a block so high has seen to it that nobody can write above.
      this.#hasLostHeight = true
      log.error('the Go network has a block above which no other can be written: this node is not offered there')
      return
    }
    const lastSeen = Math.floor(clock.now() / 1000)
    const value = encodeRecord({ peerId, models, lastSeen, hasLeft })
    const own = this.#written === undefined ? [] : [this.#written.cid]
    const block = {
      links: [...new Set([...own, ...history.heads()])],
      elements: [{ key: `/${peerId}`, id: '', value }],
      tombstones: [],
      priority,
    }
    const bytes = encodeBlock(block)
    const cid = cidOf(bytes)
    this.#keep(cid, bytes)
    history.wrote(cid, block)
    this.#mustRewrite = false
    this.#written = { cid, priority, models, hasLeft, atMs: monotonic.elapsedMs(), namedAgain: 0, isTaken: false }
    broadcast([cid])
    if (!hasLeft) this.#sayHere()
    log.info('the record of this node in the Go network was written', { priority, models: models.length, hasLeft })
  }

  #keep(cid: Cid, bytes: Uint8Array): void {
    this.#own.set(cid, bytes)
    const [oldest] = this.#own.keys()
    if (this.#own.size > MAX_OWN_BLOCKS && oldest !== undefined) this.#own.delete(oldest)
  }

  #nameAgain(now: number): void {
    const written = this.#written
    if (written === undefined || written.isTaken) return
    const dueMs = NAMED_AGAIN_MS[written.namedAgain]
    if (dueMs === undefined || now - written.atMs < dueMs) return
    written.namedAgain += 1
    this.#needs.broadcast([written.cid])
  }

  #sayHere(): void {
    this.#saidHereAtMs = this.#needs.monotonic.elapsedMs()
    this.#needs.sayHere()
  }
}

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((model, at) => model === others[at])

function withinBudget(models: readonly string[]): string[] {
  let room = MAX_NAMES_BYTES
  return [...new Set(models)].sort().filter((model) => {
    room -= Buffer.byteLength(model)
    return room >= 0
  })
}
