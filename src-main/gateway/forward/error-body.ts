import type { IncomingHttpHeaders } from 'node:http'
import { AppError, ERRORS, type ErrorCode } from '#shared/errors.js'
import type { Reply } from './reply.js'

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

  /** The member of every interface's errors, as it was sent; undefined where there is none. */
  inShape(): { error: unknown } | undefined {
    const value = this.#value()
    return value !== undefined && 'error' in value ? { error: value.error } : undefined
  }

  #value(): object | undefined {
    if (this.#bytes > MAX_BYTES) return undefined
    try {
      const value: unknown = JSON.parse(Buffer.concat(this.#pieces).toString('utf8'))
      return typeof value === 'object' && value !== null ? value : undefined
    } catch {
      // Not JSON: there is nothing in it a client could read.
      return undefined
    }
  }

  /** The code of the closed vocabulary it names, as nodes do; in Ollama's shape it stands beside the error. */
  code(): ErrorCode | undefined {
    const value = this.#value()
    if (value === undefined) return undefined
    const error: unknown = Reflect.get(value, 'error')
    const code: unknown = Reflect.get(typeof error === 'object' && error !== null ? error : value, 'code')
    return typeof code === 'string' && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined
  }
}

/** Statuses by which a provider says that another one should be asked. */
const REFUSALS = new Set([429, 502, 503, 504])

/** An attempt that ended in a refusal; the client is untouched. */
export interface Refused {
  kind: 'refused'
  status: number
  retryAfterS: number | undefined
  code: ErrorCode | undefined
}

/** A provider's answer that another one should be asked. */
export class Refusal {
  readonly #status: number
  readonly #retryAfterS: number | undefined
  readonly body = new ErrorBody()

  private constructor(status: number, headers: IncomingHttpHeaders) {
    this.#status = status
    this.#retryAfterS = retryAfter(headers['retry-after'])
  }

  /** Undefined where that answer is none. `beyond`: statuses that are none of the client's business, either. */
  static of(status: number, headers: IncomingHttpHeaders, beyond?: ReadonlySet<number>): Refusal | undefined {
    return REFUSALS.has(status) || beyond?.has(status) === true ? new Refusal(status, headers) : undefined
  }

  /** To be asked at its end. */
  result(): Refused {
    return { kind: 'refused', status: this.#status, retryAfterS: this.#retryAfterS, code: this.body.code() }
  }
}

function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = Number(header)
  return header !== undefined && Number.isInteger(seconds) && seconds >= 0 && seconds <= 86_400 ? seconds : undefined
}

/** The client's error where comments had begun an event stream and the answer is none: the provider's own, if it sent one. */
export function breakOffLate(reply: Pick<Reply, 'breakOff'>, status: number, body: ErrorBody): void {
  const error = new AppError(
    'upstream_failed',
    `The provider answered ${status} after a long silence, and not with an event stream. Send the request again.`,
  )
  reply.breakOff(error, body.inShape())
}
