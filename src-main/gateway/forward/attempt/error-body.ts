import type { IncomingHttpHeaders } from 'node:http'
import { AppError, ERRORS, type ErrorCode } from '#shared/errors.js'
import type { Exchange } from '../exchange.js'
import type { Reply } from '../reply.js'
import type { AttemptPlan } from '../targets.js'

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

  /** Its sentence; in Ollama's shape it is the error itself. */
  message(): string | undefined {
    const error = this.inShape()?.error
    const message: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : error
    return typeof message === 'string' ? message : undefined
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
  message?: string | undefined
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

  /** For an answer that can't be given to the client, whatever its status says. */
  static whatever(status: number, headers: IncomingHttpHeaders): Refusal {
    return new Refusal(status, headers)
  }

  /** To be asked at its end. */
  result(): Refused {
    return {
      ...{ kind: 'refused', status: this.#status, retryAfterS: this.#retryAfterS },
      ...{ code: this.body.code(), message: this.body.message() },
    }
  }
}

/** To the client it would look like its own key, and there is nothing that it could do about it. */
const LOCKED: ReadonlySet<number> = new Set([401])
/** A node says 403 of itself, too; between a node and its server it means the same, and a redirect leads nowhere. */
const SERVERS_OWN: ReadonlySet<number> = new Set([401, 403, 301, 302, 303, 307, 308])

/** What a model server says to the node of its owner, and not to who asks through that. */
export function neverRelayed(
  { listener }: Pick<Exchange, 'listener'>,
  { provider, changesNothing }: Pick<AttemptPlan, 'provider' | 'changesNothing'>,
): ReadonlySet<number> | undefined {
  if (!changesNothing) return undefined
  if (provider.kind === 'peer') return LOCKED
  return listener === 'peer' ? SERVERS_OWN : undefined
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
