import { AppError } from '#shared/errors.js'
import type { Reply } from './reply.js'

/** Longer than any sensible error. */
const MAX_BYTES = 64 * 1024

/** An answer that is no event stream and came after comments had already begun one: told as an error event. */
export class LateAnswer {
  readonly #status: number
  readonly #pieces: Buffer[] = []
  #bytes = 0

  constructor(status: number) {
    this.#status = status
  }

  /** Keeps a piece of the body; false when there is too much of it. */
  push(chunk: Buffer): boolean {
    this.#bytes += chunk.byteLength
    if (this.#bytes > MAX_BYTES) return false
    this.#pieces.push(chunk)
    return true
  }

  /** The provider's own error where it sent one in OpenAI's shape, else a sentence of ours. */
  tell(reply: Reply): void {
    const error = new AppError(
      'upstream_failed',
      `The provider answered ${this.#status} after a long silence, and not with an event stream. Send the request again.`,
    )
    reply.breakOff(error, this.#bytes > MAX_BYTES ? undefined : errorIn(Buffer.concat(this.#pieces)))
  }
}

function errorIn(body: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null && 'error' in value ? { error: value.error } : undefined
  } catch {
    // Not JSON: there is nothing in it a client could read.
    return undefined
  }
}
