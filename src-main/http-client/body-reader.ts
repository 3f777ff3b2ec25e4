import { MalformedAnswerError } from './errors.js'
import type { ResponseFraming } from './response-head.js'

/** Takes a body out of the bytes of a connection. */
export interface BodyReader {
  readonly done: boolean
  /**
   * Reads on from `at` in `chunk` up to the next piece of the body; `piece` is undefined where there is none in it.
   * @throws MalformedAnswerError
   */
  read(chunk: Buffer, at: number): { piece: Buffer | undefined; at: number }
}

/** For a body that ends with the connection: never done. */
export function bodyReader(framing: ResponseFraming): BodyReader {
  switch (framing.kind) {
    case 'none':
      return NO_BODY
    case 'length':
      return new PlainBody(framing.bytes)
    case 'chunked':
      return new ChunkedBody()
    case 'close':
      return new PlainBody(Number.POSITIVE_INFINITY)
  }
}

const NO_BODY: BodyReader = { done: true, read: (_chunk, at) => ({ piece: undefined, at }) }

class PlainBody implements BodyReader {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  get done(): boolean {
    return this.#left === 0
  }

  read(chunk: Buffer, at: number): { piece: Buffer | undefined; at: number } {
    const end = Math.min(chunk.length, at + this.#left)
    this.#left -= end - at
    const piece = at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end)
    return { piece, at: end }
  }
}

/** A chunk's size, its extensions and the two bytes that end the line. */
const MAX_LINE_BYTES = 1024
/** Of the fields behind the last chunk, which nobody gets to see. */
const MAX_TRAILER_BYTES = 16 * 1024

/** RFC 9112 §7.1; digits enough for 2^52. */
const SIZE_LINE = /^([0-9a-fA-F]{1,13})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/

const TRAILER = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/

const LF = 0x0a
const CR = 0x0d

/** RFC 9112 §7.1 */
class ChunkedBody implements BodyReader {
  #state: 'size' | 'data' | 'data-end' | 'trailer' | 'done' = 'size'
  #left = 0
  /** What came of a line that is not complete. */
  #line = ''
  #trailerBytes = 0

  get done(): boolean {
    return this.#state === 'done'
  }

  read(chunk: Buffer, from: number): { piece: Buffer | undefined; at: number } {
    let at = from
    while (at < chunk.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const end = Math.min(chunk.length, at + this.#left)
        this.#left -= end - at
        if (this.#left === 0) this.#state = 'data-end'
        return { piece: chunk.subarray(at, end), at: end }
      }
      at = this.#readLine(chunk, at)
    }
    return { piece: undefined, at }
  }

  #readLine(chunk: Buffer, at: number): number {
    const lf = chunk.indexOf(LF, at)
    const end = lf === -1 ? chunk.length : lf
    this.#line += chunk.toString('latin1', at, end)
    if (this.#line.length > MAX_LINE_BYTES) throw new MalformedAnswerError('a line between its chunks is too long')
    if (lf === -1) return end
    if (this.#line.charCodeAt(this.#line.length - 1) !== CR)
      throw new MalformedAnswerError('a line of it ends too early')
    const line = this.#line.slice(0, -1)
    this.#line = ''
    this.#onLine(line)
    return lf + 1
  }

  #onLine(line: string): void {
    if (this.#state === 'data-end') {
      if (line !== '') throw new MalformedAnswerError('a chunk is longer than it says')
      this.#state = 'size'
    } else if (this.#state === 'size') {
      const size = SIZE_LINE.exec(line)?.[1]
      if (size === undefined) throw new MalformedAnswerError('a chunk has no size')
      this.#left = Number.parseInt(size, 16)
      this.#state = this.#left === 0 ? 'trailer' : 'data'
    } else if (line === '') this.#state = 'done'
    else {
      if (!TRAILER.test(line)) throw new MalformedAnswerError('what follows its last chunk is no header')
      this.#trailerBytes += line.length + 2
      if (this.#trailerBytes > MAX_TRAILER_BYTES)
        throw new MalformedAnswerError('what follows its last chunk is too long')
    }
  }
}
