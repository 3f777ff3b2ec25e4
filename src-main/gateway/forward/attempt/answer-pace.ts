import type { IncomingHttpHeaders } from 'node:http'
import { type StallWatch, watchForStall } from '../../../base/stall-watch.js'
import { IdleTimeoutError } from '../../../http-client/index.js'

/** What an answer's pace is measured by, in milliseconds. */
export interface PaceRules {
  /** Bytes that come without making a line or a KiB in this time are a drip, and no answer. */
  dripMs: number
  /** It may be silent for so long, going by others of this provider; undefined where nothing is known of them. */
  silenceMs: number | undefined
  /** It may be silent for so long at the most, comments or not; 0 sets no bound. */
  idleMs: number
}

/** One token a minute is an answer: the shortest event that carries one is longer. */
const LINE_BYTES = 16
const PROGRESS_BYTES = 1024

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a

/** Blank lines are as good as comments. */
const beginsComment = (byte: number | undefined): boolean => byte === COLON || byte === LF || byte === CR

/**
 * Follows an answer's body. It gets on where a line comes to its end that is no comment and no mere scrap, or where a
 * KiB has come: bytes alone are no sign of life, for they can be sent one by one for ever.
 */
export class AnswerPace {
  readonly #rules: PaceRules
  readonly #startedAt = performance.now()
  #onStall: ((error: Error) => void) | undefined
  #watch: StallWatch | undefined
  /** When it last got on. */
  #movedAt = this.#startedAt
  #firstMs: number | undefined
  #gapMs = 0
  /** Of the line that is coming. */
  #lineBytes = 0
  #isComment = false
  /** Since it last got on. */
  #bytes = 0
  #commentBytes = 0
  #isHeldBack = false

  constructor(rules: PaceRules) {
    this.#rules = rules
  }

  /** From its making to the first progress, ms; undefined before. */
  get firstMs(): number | undefined {
    return this.#firstMs
  }

  /** The longest it stood still between two steps of progress, ms. */
  get gapMs(): number {
    return this.#gapMs
  }

  /** The body may come from now on: `onStall` is called once when it does not get on, until {@link AnswerPace.stop}. */
  follow(onStall: (error: Error) => void): void {
    this.#onStall = onStall
    this.#movedAt = performance.now()
    this.#watchOn()
  }

  stop(): void {
    this.#watch?.stop()
    this.#onStall = undefined
  }

  /** The client takes no more at the moment, which is not its provider's fault. */
  holdBack(): void {
    this.#isHeldBack = true
  }

  goOn(): void {
    this.#isHeldBack = false
    this.#movedAt = performance.now()
    if (this.#watch !== undefined) this.#watch.moved = true
  }

  /** A piece of the body came; true where the answer got on. */
  push(piece: Buffer): boolean {
    this.#bytes += piece.length
    const isProgress = this.#endsLine(piece) || this.#bytes - this.#commentBytes >= PROGRESS_BYTES
    if (isProgress) this.#moved()
    return isProgress
  }

  /** The body is complete, which is progress in any case. */
  end(): void {
    this.#moved()
  }

  #moved(): void {
    const now = performance.now()
    if (this.#firstMs === undefined) this.#firstMs = now - this.#startedAt
    else this.#gapMs = Math.max(this.#gapMs, now - this.#movedAt)
    this.#movedAt = now
    this.#bytes = 0
    this.#commentBytes = 0
    if (this.#watch !== undefined) this.#watch.moved = true
  }

  /** Whether a line of some length that is no comment has come to its end. */
  #endsLine(piece: Buffer): boolean {
    let hasEnded = false
    for (let from = 0; from < piece.length;) {
      const at = piece.indexOf(LF, from)
      const end = at === -1 ? piece.length : at + 1
      if (this.#lineBytes === 0) this.#isComment = beginsComment(piece[from])
      this.#lineBytes += end - from
      if (this.#isComment) this.#commentBytes += end - from
      if (at !== -1) {
        hasEnded ||= !this.#isComment && this.#lineBytes >= LINE_BYTES
        this.#lineBytes = 0
      }
      from = end
    }
    return hasEnded
  }

  #watchOn(): void {
    this.#watch = watchForStall(() => this.#judge(), this.#rules.dripMs)
  }

  #judge(): void {
    const { silenceMs, idleMs } = this.#rules
    const stillMs = performance.now() - this.#movedAt
    const isDrip = this.#bytes > this.#commentBytes
    const most = this.#commentBytes > 0 || silenceMs === undefined ? idleMs : Math.min(silenceMs, idleMs)
    const isSilent = idleMs > 0 && stillMs >= most
    if (this.#isHeldBack || !(isDrip || isSilent)) this.#watchOn()
    else this.#onStall?.(new IdleTimeoutError(isDrip ? 'it came by drops' : undefined))
  }
}

/** Of a body that waits: more would have to be comments, or it had begun. */
const MAX_WAITING_BYTES = 64 * 1024

/** A head that waits for its body to get on, and what has come of that. */
export class WaitingAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly pieces: Buffer[] = []
  #bytes = 0

  constructor(status: number, headers: IncomingHttpHeaders) {
    this.status = status
    this.headers = headers
  }

  /** False when there is too much of it. */
  push(piece: Buffer): boolean {
    this.pieces.push(piece)
    this.#bytes += piece.byteLength
    return this.#bytes <= MAX_WAITING_BYTES
  }
}
