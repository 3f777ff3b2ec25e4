import type { IncomingMessage } from 'node:http'
import { AppError } from '#shared/errors.js'
import { watchForStall } from '../../base/stall-watch.js'
import { type Form, readForm } from './form.js'

/** A JSON object of a request, unvalidated beyond being one. */
export type JsonObject = Readonly<Record<string, unknown>>

/**
 * A request body as routing needs it: read (so that it can be sent again to the next provider) where the model is in
 * it, streamed otherwise.
 */
export type RequestBody =
  | {
      kind: 'none'
      /** The `model` of the query, which is where a request without a body can name one. */
      model?: string
    }
  | { kind: 'read'; bytes: Buffer; json?: JsonObject; form?: Form; contentType?: string }
  | {
      kind: 'stream'
      stream: IncomingMessage
      /** Where it is broken off; no bound without it. */
      maxBytes?: number
    }

/** True when the request says it carries a body (RFC 9112 §6.3). */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length']
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

/** What a request without a body says. */
export function withoutBody(request: IncomingMessage): RequestBody {
  const url = request.url ?? ''
  const at = url.indexOf('?')
  const model = at === -1 ? null : new URLSearchParams(url.slice(at + 1)).get('model')
  return model === null || model === '' ? { kind: 'none' } : { kind: 'none', model }
}

/** The model a request names in its JSON, form or query; undefined where it names none. */
export function modelOf(body: RequestBody): string | undefined {
  if (body.kind === 'none') return body.model
  if (body.kind !== 'read') return undefined
  const model = body.json?.['model'] ?? body.form?.model
  return typeof model === 'string' ? model : undefined
}

/** A client that sends nothing of its body for so long holds memory and slots for nothing. */
export const BODY_STALL_MS = 60_000

/**
 * Reads a whole body. `setting` is the one that bounds it, for the sentence of the error.
 * @throws AppError `body_too_large` over `maxBytes`, `invalid_request` when no byte came for `stallMs`; {@link ClientGoneError}
 */
export async function readAll(
  request: IncomingMessage,
  maxBytes: number,
  stallMs: number = BODY_STALL_MS,
  setting?: string,
): Promise<Buffer> {
  assertDeclaredLength(request, maxBytes, setting)
  if (request.destroyed) throw new ClientGoneError()
  return await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let done = false
    // Listeners stay where they are: taking four off costs more than letting them do nothing, and a request has but one body.
    const stall = watchForStall(() => fail(stalled()), stallMs)
    const fail = (error: Error): void => {
      if (done) return
      done = true
      stall.stop()
      reject(error)
    }
    request.on('data', (chunk: Buffer) => {
      if (done) return
      stall.moved = true
      size += chunk.byteLength
      if (size > maxBytes) {
        request.pause()
        fail(tooLarge(maxBytes, setting))
      } else chunks.push(chunk)
    })
    request.on('end', () => {
      if (done) return
      done = true
      stall.stop()
      resolve(join(chunks, size))
    })
    // The only way a request can fail here: its connection did.
    request.on('error', (error: Error) => fail(new ClientGoneError(error)))
    request.on('close', () => {
      if (!done) fail(new ClientGoneError())
    })
  })
}

/** @throws AppError `body_too_large` when the request says that its body is larger. */
export function assertDeclaredLength(request: IncomingMessage, maxBytes: number, setting?: string): void {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes, setting)
}

/** One chunk, the usual case, is not copied. */
function join(chunks: readonly Buffer[], size: number): Buffer {
  const [first] = chunks
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, size)
}

/** The client closed its connection: there is no one left to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError'
  constructor(cause?: unknown) {
    super('the client went away', { cause })
  }
}

function stalled(): AppError {
  return new AppError('invalid_request', 'The rest of the request body did not arrive in time. Send it again.')
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

type BodyType = 'json' | 'multipart' | 'maybe-json' | 'other'

function bodyType(contentType: string | undefined): BodyType {
  if (contentType === undefined) return 'maybe-json'
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase()
  if (type === 'application/json' || type.endsWith('+json')) return 'json'
  if (type === 'multipart/form-data') return 'multipart'
  // What curl -d says unless it is given a type.
  if (type === 'application/x-www-form-urlencoded' || type === 'text/plain') return 'maybe-json'
  return 'other'
}

/** Bodies that need not be read for routing are still kept for another attempt while they are small. */
const REPLAY_BYTES = 1024 * 1024

/** Bounds a body that is read for routing. */
const SETTING = 'gateway.max-body'

/**
 * The body of a request to be routed. With `identityKnown` (a header gave the match) only small JSON is read. The files
 * of a form are kept apart only with `keepFiles`.
 * @throws AppError `invalid_json`, `invalid_request` (two models), `body_too_large`; {@link ClientGoneError}.
 */
export async function readRoutingBody(
  request: IncomingMessage,
  options: { maxBytes: number; identityKnown: boolean; keepFiles?: boolean },
): Promise<RequestBody> {
  if (!hasBody(request)) return withoutBody(request)
  const contentType = request.headers['content-type']
  const type = bodyType(contentType)
  if (type === 'other') return { kind: 'stream', stream: request }
  if (options.identityKnown) {
    const declared = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY)
    if (declared > Math.min(REPLAY_BYTES, options.maxBytes)) return { kind: 'stream', stream: request }
    return { kind: 'read', bytes: await readAll(request, REPLAY_BYTES, BODY_STALL_MS, SETTING) }
  }
  const bytes = await readAll(request, options.maxBytes, BODY_STALL_MS, SETTING)
  if (type === 'multipart') {
    return { kind: 'read', bytes, form: await readForm(bytes, contentType ?? '', options.keepFiles) }
  }
  if (type === 'json') return { kind: 'read', bytes, json: parseModelRequest(bytes) }
  return looksLikeJson(bytes)
    ? { kind: 'read', bytes, json: parseModelRequest(bytes), contentType: 'application/json' }
    : { kind: 'read', bytes }
}

/**
 * A request to a model: a JSON object with one `model` at most.
 * @throws AppError `invalid_json`, `invalid_request`
 */
export function parseModelRequest(bytes: Buffer): JsonObject {
  const text = bytes.toString('utf8')
  const json = parseText(text)
  if (hasRepeatedMember(text, 'model')) {
    throw new AppError('invalid_request', 'The request body names "model" more than once. Send exactly one.', {
      param: 'model',
    })
  }
  return json
}

/** @throws AppError `invalid_json` unless `bytes` are a JSON object in UTF-8. */
export function parseObject(bytes: Buffer): JsonObject {
  return parseText(bytes.toString('utf8'))
}

function parseText(text: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new AppError('invalid_json', `The request body is not valid JSON: ${sentenceOf(error)}.`, { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AppError('invalid_json', 'The request body must be a JSON object.')
  }
  return value as JsonObject
}

function looksLikeJson(bytes: Buffer): boolean {
  for (const byte of bytes) {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue
    return byte === 0x7b
  }
  return false
}

/** V8 quotes a piece of the body in its message; a piece of a prompt must not reach a log. */
function sentenceOf(error: unknown): string {
  const position = error instanceof Error ? /position \d+(?: \(line \d+ column \d+\))?/.exec(error.message) : null
  return position === null ? 'it ends too early or is malformed' : `malformed at ${position[0]}`
}

/**
 * Whether the object in valid JSON `text` has more than one member `name`, in whatever spelling. Parsers keep the last
 * one or the first, so such a body says different things to different readers.
 */
export function hasRepeatedMember(text: string, name: string): boolean {
  const plain = `"${name}"`
  const first = text.indexOf(plain)
  const isPlainTwice = first !== -1 && text.includes(plain, first + plain.length)
  // Only \u00.. can stand for a letter of a name.
  if (!isPlainTwice && !text.includes('\\u00')) return false
  return countMembers(text, name) > 1
}

function countMembers(text: string, name: string): number {
  let count = 0
  let depth = 0
  let isKeyNext = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') {
      const end = endOfString(text, at)
      if (isKeyNext && JSON.parse(text.slice(at, end + 1)) === name) count += 1
      isKeyNext = false
      at = end
    } else if (character === '{' || character === '[') {
      depth += 1
      isKeyNext = depth === 1
    } else if (character === '}' || character === ']') depth -= 1
    else if (character === ',') isKeyNext = depth === 1
  }
  return count
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '"') return at
  }
  return text.length
}
