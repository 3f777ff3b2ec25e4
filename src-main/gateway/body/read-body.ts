import type { IncomingMessage } from 'node:http'
import type { Readable, Transform } from 'node:stream'
import zlib from 'node:zlib'
import { AppError } from '#shared/errors.js'
import { JsonObjectBytes } from '../../base/json/object.js'
import { JsonScanner } from '../../base/json/scanner.js'
import { type StallWatch, watchForStall } from '../../base/stall-watch.js'
import type { HeldBody } from './body-memory.js'

/** How a body is read. */
export interface ReadRules {
  /** Bytes of it, once unpacked. */
  maxBytes: number
  /** The setting behind `maxBytes`, for the sentence of the error. */
  setting?: string
  /** No byte came for so many milliseconds: it is given up. */
  stallMs?: number
  /** What is read is counted there. */
  memory?: HeldBody | undefined
  /** Whether it is scanned as a JSON object as it comes in: `maybe` where it begins like one. */
  json?: 'yes' | 'maybe' | 'no'
  /** Leaves a compressed body as it is. */
  packed?: boolean
}

/** A whole body. */
export interface WholeBody {
  /** Unpacked, without a byte order mark. */
  bytes: Buffer
  json?: JsonObjectBytes
  /** It came compressed and is not any more. */
  unpacked: boolean
}

/** A client that sends nothing of its body for so long holds memory and slots for nothing. */
export const BODY_STALL_MS = 60_000

/**
 * Reads a whole body; JSON is checked while it comes in, so a long one holds nothing up, and a bad one ends at once.
 * @throws AppError `body_too_large` over `maxBytes` or the bounds of the scanner, `invalid_json`, `invalid_request` when
 *   it stalls or can not be unpacked, `unsupported_media_type` for an unknown coding, `rate_limited` where there is no
 *   memory for it; {@link ClientGoneError}
 */
export async function readBody(request: IncomingMessage, rules: ReadRules): Promise<WholeBody> {
  assertDeclaredLength(request, rules.maxBytes, rules.setting)
  if (request.destroyed) throw new ClientGoneError()
  const unpack = rules.packed === true ? undefined : unpackerFor(request.headers['content-encoding'])
  return await new Promise<WholeBody>((resolve, reject) => {
    new BodyReader(request, rules, unpack, resolve, reject).start()
  })
}

/** @throws AppError `body_too_large` when the request says that its body is larger. */
export function assertDeclaredLength(request: IncomingMessage, maxBytes: number, setting?: string): void {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes, setting)
}

/** The client closed its connection: there is no one left to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError'
  constructor(cause?: unknown) {
    super('the client went away', { cause })
  }
}

/** How an object begins behind a byte order mark. */
const MARKED_OBJECT = Buffer.from('\uFEFF{')

class BodyReader {
  readonly #request: IncomingMessage
  readonly #rules: ReadRules
  readonly #unpack: Transform | undefined
  readonly #resolve: (body: WholeBody) => void
  readonly #reject: (error: Error) => void
  readonly #stall: StallWatch
  readonly #bytes: Gathering
  #scanner: JsonScanner | undefined
  #mayBeJson: boolean
  #done = false

  constructor(
    request: IncomingMessage,
    rules: ReadRules,
    unpack: Transform | undefined,
    resolve: (body: WholeBody) => void,
    reject: (error: Error) => void,
  ) {
    this.#request = request
    this.#rules = rules
    this.#unpack = unpack
    this.#resolve = resolve
    this.#reject = reject
    this.#mayBeJson = rules.json === 'maybe'
    if (rules.json === 'yes') this.#scanner = new JsonScanner()
    const declared = unpack === undefined ? Number(request.headers['content-length'] ?? Number.NaN) : Number.NaN
    this.#bytes = new Gathering(declared, rules.maxBytes)
    this.#stall = watchForStall(() => this.#fail(stalled()), rules.stallMs ?? BODY_STALL_MS)
  }

  start(): void {
    const request = this.#request
    this.#rules.memory?.onEvicted((error) => this.#fail(error))
    // Listeners stay where they are: taking them off costs more than letting them do nothing, and a request has but one body.
    const body: Readable = this.#unpack ?? request
    body.on('data', (chunk: Buffer) => this.#take(chunk))
    body.on('end', () => this.#finish())
    // The only way a request can fail here: its connection did.
    request.on('error', (error: Error) => this.#fail(new ClientGoneError(error)))
    request.on('close', () => {
      if (!request.readableEnded) this.#fail(new ClientGoneError())
    })
    if (this.#unpack === undefined) return
    this.#unpack.on('error', (error) => this.#fail(damaged(error)))
    request.on('data', () => (this.#stall.moved = true))
    request.pipe(this.#unpack)
  }

  #take(chunk: Buffer): void {
    if (this.#done) return
    this.#stall.moved = true
    try {
      this.#bytes.add(chunk)
      if (this.#bytes.size > this.#rules.maxBytes) throw tooLarge(this.#rules.maxBytes, this.#rules.setting)
      this.#rules.memory?.grow(chunk.byteLength)
      if (this.#mayBeJson) this.#decide(chunk)
      this.#scanner?.push(chunk)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  /** The first byte that is no white space tells. */
  #decide(chunk: Buffer): void {
    for (const [at, byte] of chunk.entries()) {
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue
      this.#mayBeJson = false
      if (byte !== 0x7b && !chunk.subarray(at, at + 4).equals(MARKED_OBJECT)) return
      this.#scanner = new JsonScanner()
      this.#scanner.push(this.#bytes.before(chunk.byteLength))
      return
    }
  }

  #finish(): void {
    if (this.#done) return
    const bytes = this.#bytes.join()
    try {
      const json = this.#scanner === undefined ? undefined : JsonObjectBytes.scanned(bytes, this.#scanner)
      this.#end()
      this.#resolve({
        bytes: json?.bytes ?? bytes,
        unpacked: this.#unpack !== undefined,
        ...(json === undefined ? {} : { json }),
      })
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #fail(error: Error): void {
    if (this.#done) return
    this.#end()
    if (this.#unpack !== undefined) {
      this.#request.unpipe(this.#unpack)
      this.#unpack.destroy()
    }
    this.#request.pause()
    this.#bytes.clear()
    this.#rules.memory?.release()
    this.#reject(error)
  }

  #end(): void {
    this.#done = true
    this.#stall.stop()
  }
}

/** Below it, pieces are kept as they came and put together at the end. */
const SMALL_BYTES = 1024 * 1024

/**
 * Puts a body together without ever holding it twice: a large one is written into a buffer of its final or greatest size
 * as it comes. What is not written yet of such a buffer is no memory in use.
 */
class Gathering {
  readonly #maxBytes: number
  #whole: Buffer | undefined
  #chunks: Buffer[] = []
  size = 0

  constructor(declaredBytes: number, maxBytes: number) {
    this.#maxBytes = maxBytes
    if (declaredBytes > SMALL_BYTES && declaredBytes <= maxBytes) this.#whole = Buffer.allocUnsafeSlow(declaredBytes)
  }

  add(chunk: Buffer): void {
    if (this.#whole === undefined && this.size + chunk.byteLength > SMALL_BYTES) {
      this.#whole = Buffer.allocUnsafeSlow(Math.max(this.#maxBytes, SMALL_BYTES))
      let at = 0
      for (const earlier of this.#chunks) at += earlier.copy(this.#whole, at)
      this.#chunks = []
    }
    if (this.#whole === undefined) this.#chunks.push(chunk)
    else chunk.copy(this.#whole, this.size)
    this.size += chunk.byteLength
  }

  /** All but the last so many bytes. */
  before(bytes: number): Buffer {
    return this.join().subarray(0, this.size - bytes)
  }

  /** One chunk, the usual case, is not copied. */
  join(): Buffer {
    if (this.#whole !== undefined) return this.#whole.subarray(0, this.size)
    const [first] = this.#chunks
    return first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.size)
  }

  clear(): void {
    this.#chunks = []
    this.#whole = undefined
  }
}

/** The codings of RFC 9110 §8.4.1 and RFC 9659 that clients send bodies in. */
const UNPACKERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  deflate: () => zlib.createInflate(),
  br: () => zlib.createBrotliDecompress(),
  zstd: () => zlib.createZstdDecompress(),
}

/** @throws AppError `unsupported_media_type` */
function unpackerFor(coding: string | undefined): Transform | undefined {
  const codings = (coding ?? '').toLowerCase().split(',')
  // Of several nested in each other none is read: they multiply what a few bytes can grow to.
  const name = codings
    .map((one) => one.trim())
    .filter((one) => one !== '' && one !== 'identity')
    .join(', ')
  if (name === '') return undefined
  const create = Object.hasOwn(UNPACKERS, name) ? UNPACKERS[name] : undefined
  if (create !== undefined) return create()
  throw new AppError(
    'unsupported_media_type',
    `A body in the coding "${name.slice(0, 40)}" can not be read here. Send it as it is, or as gzip, deflate, br or zstd.`,
  )
}

function stalled(): AppError {
  return new AppError('invalid_request', 'The rest of the request body did not arrive in time. Send it again.')
}

function damaged(cause: Error): AppError {
  return new AppError('invalid_request', 'The request body can not be unpacked: its compressed data is damaged.', {
    cause,
  })
}

function tooLarge(maxBytes: number, setting: string | undefined): AppError {
  const bound = setting === undefined ? '' : ` (${setting})`
  return new AppError(
    'body_too_large',
    `The request body is larger than the ${sizeOf(maxBytes)} that are read here${bound}. Send less.`,
  )
}

const sizeOf = (bytes: number): string =>
  bytes >= 1024 * 1024 ? `${Math.floor(bytes / 1024 / 1024)} MiB` : `${Math.floor(bytes / 1024)} KiB`
