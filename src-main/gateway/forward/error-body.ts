import { ERRORS, type ErrorCode } from '#shared/errors.js'

/** Longer than any sensible error. */
const MAX_BYTES = 64 * 1024

/** The body of an answer that is no more than an error, kept within 64 KiB. */
export class ErrorBody {
  readonly #pieces: Buffer[] = []
  #bytes = 0

  /** Keeps a piece of it; false when there is too much of it. */
  push(piece: Buffer): boolean {
    this.#bytes += piece.byteLength
    if (this.#bytes > MAX_BYTES) return false
    this.#pieces.push(piece)
    return true
  }

  /** In OpenAI's shape, as it was sent; undefined where it has another one. */
  inShape(): { error: unknown } | undefined {
    if (this.#bytes > MAX_BYTES) return undefined
    try {
      const value: unknown = JSON.parse(Buffer.concat(this.#pieces).toString('utf8'))
      return typeof value === 'object' && value !== null && 'error' in value ? { error: value.error } : undefined
    } catch {
      // Not JSON: there is nothing in it a client could read.
      return undefined
    }
  }

  /** The code of the closed vocabulary it names, as nodes do. */
  code(): ErrorCode | undefined {
    const error = this.inShape()?.error
    const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined
    return typeof code === 'string' && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined
  }
}
