/** Of an event stream's end; the last event that tells why it ended is followed by little more than a count of tokens. */
const KEPT_BYTES = 4 * 1024

/** How the interfaces that are spoken here end a stream: OpenAI's two, Anthropic's, and an error in place of an end. */
const MARKS = [
  '[DONE]',
  /"finish_reason" ?: ?"/,
  '"message_stop"',
  /"response\.(?:completed|incomplete|failed)"/,
  /^event: ?error/m,
]

/** Tells whether an event stream said that it is complete; keeps no more of it than its last kilobytes. */
export class EndMark {
  #tail: Buffer[] = []
  #bytes = 0

  /** A piece of the stream; it is not copied, and must not change. */
  push(piece: Buffer): void {
    this.#tail.push(piece)
    this.#bytes += piece.byteLength
    let [first] = this.#tail
    while (first !== undefined && this.#bytes - first.byteLength >= KEPT_BYTES) {
      this.#tail.shift()
      this.#bytes -= first.byteLength
      ;[first] = this.#tail
    }
  }

  /** To be asked at its end. */
  wasSeen(): boolean {
    const text = Buffer.concat(this.#tail).toString('latin1').slice(-KEPT_BYTES)
    return MARKS.some((mark) => (typeof mark === 'string' ? text.includes(mark) : mark.test(text)))
  }
}
