import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { type Bucket, type BucketRate, fullBucket, refilled } from '../../base/token-bucket.js'
import type { Log } from '../../logging/index.js'
import { type Block, decodeBlock } from '../codecs/block.js'
import { type Cid, cidText } from '../codecs/cid.js'

/** What {@link History} works with. */
export interface HistoryNeeds {
  /** Fetches a block, of the peer first that named it. */
  fetch: (cid: Cid, namedBy: string, signal: AbortSignal) => Promise<Uint8Array>
  /** Hears of each block that was fetched. */
  onBlock: (cid: Cid, block: Block) => void
  monotonic: MonotonicClock
  log: Log
}

/** Blocks that are fetched: at once, and a second after that. A history of years is looked at from its newest end alone. */
const FETCHES: BucketRate = { capacity: 256, refillPerS: 10 }
/** How far below a head that was named it is looked. */
const MAX_DEPTH = 64
const MAX_QUEUED = 512
const MAX_AT_ONCE = 4
const MAX_KNOWN = 8_192
/** Heads that a block of this node follows at most; more are only there where somebody makes them up. */
const MAX_HEADS = 16
const FETCH_WITHIN_MS = 10_000
/** A head that nobody names any more is followed no longer. */
const HEARD_WITHIN_MS = 5 * 60_000

interface Waiting {
  cid: Cid
  namedBy: string
  depth: number
}

/**
 * What this node knows of the Go network's history: which blocks are the newest, and how high they are. It keeps no block;
 * it has to know how high its own has to be, and whether others wrote under its name.
 */
export class History {
  readonly #needs: HistoryNeeds
  readonly #stopping = new AbortController()
  readonly #known = new BoundedMap<Cid, true>(MAX_KNOWN)
  readonly #heads = new BoundedMap<Cid, { heardAtMs: number }>(MAX_HEADS)
  #queue: Waiting[] = []
  #running = 0
  #bucket: Bucket
  #highest = 0
  #paused: NodeJS.Timeout | undefined

  constructor(needs: HistoryNeeds) {
    this.#needs = needs
    this.#bucket = fullBucket(FETCHES, needs.monotonic.elapsedMs())
  }

  /** The height of the highest block that was seen; 0 before the first. */
  get highest(): number {
    return this.#highest
  }

  /** Nothing that was named waits to be fetched. */
  get isCaughtUp(): boolean {
    return this.#running === 0 && this.#queue.length === 0
  }

  /** Newest blocks that others have, as far as is known; each was fetched, so somebody gives it. */
  heads(): Cid[] {
    const now = this.#needs.monotonic.elapsedMs()
    return [...this.#heads].filter(([, { heardAtMs }]) => now - heardAtMs < HEARD_WITHIN_MS).map(([cid]) => cid)
  }

  /** A peer named these blocks as the newest. */
  heard(cids: readonly Cid[], namedBy: string): void {
    for (const cid of cids) {
      const head = this.#heads.peek(cid)
      if (head !== undefined) head.heardAtMs = this.#needs.monotonic.elapsedMs()
      if (!this.#known.has(cid)) this.#enqueue({ cid, namedBy, depth: 0 })
    }
    this.#fetchMore()
  }

  /** A block of this node's own: the highest, and what follows the ones before it. */
  wrote(cid: Cid, { links, priority }: Pick<Block, 'links' | 'priority'>): void {
    this.#known.set(cid, true)
    this.#highest = Math.max(this.#highest, priority)
    for (const link of links) this.#heads.delete(link)
    this.#heads.set(cid, { heardAtMs: this.#needs.monotonic.elapsedMs() })
  }

  stop(): void {
    this.#stopping.abort()
    clearTimeout(this.#paused)
    this.#queue = []
  }

  #enqueue(waiting: Waiting): void {
    if (this.#queue.length >= MAX_QUEUED || this.#queue.some(({ cid }) => cid === waiting.cid)) return
    this.#queue.push(waiting)
  }

  #fetchMore(): void {
    while (this.#running < MAX_AT_ONCE && this.#queue.length > 0 && !this.#stopping.signal.aborted) {
      if (!this.#pay()) {
        this.#paused ??= setTimeout(() => {
          this.#paused = undefined
          this.#fetchMore()
        }, 1_000).unref()
        return
      }
      // Newest first: what was named before what it follows.
      this.#queue.sort((a, b) => a.depth - b.depth)
      const next = this.#queue.shift()
      if (next === undefined) return
      this.#running += 1
      void this.#fetchOne(next).finally(() => {
        this.#running -= 1
        this.#fetchMore()
      })
    }
  }

  #pay(): boolean {
    this.#bucket = refilled(this.#bucket, FETCHES, this.#needs.monotonic.elapsedMs())
    if (this.#bucket.tokens < 1) return false
    this.#bucket = { ...this.#bucket, tokens: this.#bucket.tokens - 1 }
    return true
  }

  async #fetchOne({ cid, namedBy, depth }: Waiting): Promise<void> {
    const { fetch, onBlock, monotonic, log } = this.#needs
    if (this.#known.has(cid)) return
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(FETCH_WITHIN_MS)])
    try {
      const block = decodeBlock(await fetch(cid, namedBy, signal))
      // Also one that is none: it is not asked for again.
      this.#known.set(cid, true)
      if (block === undefined || this.#stopping.signal.aborted) return
      this.#highest = Math.max(this.#highest, block.priority)
      if (depth === 0) this.#heads.set(cid, { heardAtMs: monotonic.elapsedMs() })
      for (const link of block.links) {
        this.#heads.delete(link)
        if (depth < MAX_DEPTH && !this.#known.has(link)) this.#enqueue({ cid: link, namedBy, depth: depth + 1 })
      }
      onBlock(cid, block)
    } catch (error) {
      if (!this.#stopping.signal.aborted) log.debug('a block was not fetched', { cid: cidText(cid), namedBy, error })
    }
  }
}
