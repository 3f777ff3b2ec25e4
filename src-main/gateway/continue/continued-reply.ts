import type { AnswerSink } from '../forward/attempt/request.js'
import type { Reply } from '../forward/reply.js'
import { UnfitContinuation } from './answer-form.js'
import type { Splicer } from './splicer.js'

/** Where a second provider's answer goes: behind what the client has of the first one's. */
export class ContinuedReply implements AnswerSink {
  readonly #reply: Reply
  readonly #splicer: Splicer
  readonly #onUnfit: (error: UnfitContinuation) => void
  /** What the client gets ahead of the first event; undefined once it has it. */
  #comment: string | undefined
  #hasFailed = false

  /** `comment` goes ahead of the first event, where the stream can have one; `onUnfit` is called once. */
  constructor(
    reply: Reply,
    splicer: Splicer,
    comment: string | undefined,
    onUnfit: (error: UnfitContinuation) => void,
  ) {
    this.#reply = reply
    this.#splicer = splicer
    this.#comment = comment
    this.#onUnfit = onUnfit
  }

  /** True once the client has something of this provider. */
  get hasBegun(): boolean {
    return this.#comment === undefined
  }

  get gone(): boolean {
    return this.#reply.gone
  }

  onGone(listener: () => void): void {
    this.#reply.onGone(listener)
  }

  offGone(listener: () => void): void {
    this.#reply.offGone(listener)
  }

  /** The client has a head. */
  head(): boolean {
    return true
  }

  write(piece: Buffer): boolean {
    return this.#pass(() => this.#splicer.push(piece))
  }

  onDrain(listener: () => void, stallMs?: number): void {
    this.#reply.onDrain(listener, stallMs)
  }

  end(): void {
    this.#pass(() => this.#splicer.rest())
    if (!this.#hasFailed) this.#reply.end()
  }

  /** Nobody is there to go on with this one. */
  breakOff(...error: Parameters<Reply['breakOff']>): void {
    this.#hasFailed = true
    this.#reply.breakOff(...error)
  }

  #pass(take: () => Buffer | undefined): boolean {
    if (this.#hasFailed) return true
    let ready: Buffer | undefined
    try {
      ready = take()
    } catch (error) {
      if (!(error instanceof UnfitContinuation)) throw error
      this.#hasFailed = true
      this.#onUnfit(error)
      return true
    }
    if (ready === undefined) return true
    const comment = this.#comment ?? ''
    this.#comment = undefined
    return this.#reply.write(comment === '' ? ready : Buffer.concat([Buffer.from(comment), ready]))
  }
}
