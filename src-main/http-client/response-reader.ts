import type { IncomingHttpHeaders } from 'node:http'
import { MalformedAnswerError } from './errors.js'

/** The head of an answer, as far as this client needs to understand it. */
export interface ResponseHead {
  status: number
  /** As Node's own client gives them: lower-case names, several of one name joined, `set-cookie` always a list. */
  headers: IncomingHttpHeaders
  framing: ResponseFraming
  /** What the other side lets the connection be used for afterwards. */
  keepAlive: boolean
  /** Milliseconds it keeps an idle connection, where it says so. */
  keepAliveMs: number | undefined
}

/** How the body ends (RFC 9112 §6.3): there is none, after a number of bytes, by its last chunk, with the connection. */
type ResponseFraming = { kind: 'none' } | { kind: 'length'; bytes: number } | { kind: 'chunked' } | { kind: 'close' }

/** Of a head, until its empty line. */
export const MAX_HEAD_BYTES = 64 * 1024

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/
const DIGITS = /^\d{1,15}$/
const TIMEOUT = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,6})/i

const BEGINNING = Buffer.from('HTTP/1.')

/**
 * Looks at what has come of a head, from `at` to the empty line at `end` (-1 where that has not come): what will never be
 * one is not waited for.
 * @throws MalformedAnswerError
 */
export function assertHead(data: Buffer, at: number, end: number): void {
  // Of an empty line up to three bytes may be here.
  const bytes = (end === -1 ? data.length - 3 : end) - at
  if (bytes > MAX_HEAD_BYTES) throw new MalformedAnswerError('its head is too long')
  // Its first line is here by now, and was looked at.
  if (bytes > MAX_LINE_BYTES) return
  const length = Math.min(BEGINNING.length, data.length - at)
  const lineEnd = data.indexOf(LF, at)
  if (data.compare(BEGINNING, 0, length, at, at + length) !== 0) {
    throw new MalformedAnswerError('its first line is no status line of HTTP/1')
  }
  if (lineEnd > at && data[lineEnd - 1] !== CR) {
    throw new MalformedAnswerError('its first line ends in a bare line feed')
  }
}

/**
 * Reads a head: `text` is what stands before its empty line, a byte a character.
 * @throws MalformedAnswerError for whatever two readers could understand in different ways
 */
export function parseResponseHead(text: string, method: string): ResponseHead {
  let end = text.indexOf('\r\n')
  if (end === -1) end = text.length
  const line = STATUS_LINE.exec(text.slice(0, end))
  if (line === null) throw new MalformedAnswerError('its first line is no status line of HTTP/1')
  const status = Number(line[2])
  const headers = parseFields(text, end + 2)
  const framing = framingOf(status, headers, method)
  const keepAlive = framing.kind !== 'close' && isKept(line[1] === '1', headers)
  return {
    status,
    headers,
    framing,
    keepAlive,
    keepAliveMs: keepAlive ? keepAliveMs(headers['keep-alive']) : undefined,
  }
}

function parseFields(text: string, from: number): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {}
  for (let at = from; at < text.length;) {
    let end = text.indexOf('\r\n', at)
    if (end === -1) end = text.length
    const colon = text.indexOf(':', at)
    const name = colon === -1 || colon > end ? '' : text.slice(at, colon)
    if (!NAME.test(name)) throw new MalformedAnswerError('a line of its head is no header')
    const value = trimmed(text, colon + 1, end)
    if (NOT_IN_VALUE.test(value)) throw new MalformedAnswerError('a header has a value that is not allowed')
    addField(headers, name.toLowerCase(), value)
    at = end + 2
  }
  return headers
}

/** Without the blanks around it; a pattern would take quadratic time for many of them. */
function trimmed(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

/** Of these only the first counts, as Node has it: a list of them would mean nothing, or two things. */
const SINGULAR = new Set([
  'age',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
  'server',
])

/** Several of one name become one (RFC 9110 §5.3), as the type says and readers expect. */
function addField(headers: IncomingHttpHeaders, name: string, value: string): void {
  // A fine name for a header, and none for a property.
  if (name === '__proto__') throw new MalformedAnswerError('a line of its head is no header')
  if (name === 'set-cookie') (headers['set-cookie'] ??= []).push(value)
  else if (!Object.hasOwn(headers, name)) headers[name] = value
  else if (!SINGULAR.has(name)) headers[name] = `${String(headers[name])}, ${value}`
}

function framingOf(status: number, headers: IncomingHttpHeaders, method: string): ResponseFraming {
  const { 'transfer-encoding': coding, 'content-length': length } = headers
  if (coding !== undefined) {
    if (length !== undefined) throw new MalformedAnswerError('it tells its length in two ways')
    if (coding.toLowerCase() !== 'chunked') {
      throw new MalformedAnswerError('its transfer coding is not understood')
    }
  }
  if (length !== undefined && !DIGITS.test(length)) {
    throw new MalformedAnswerError('its length is no number')
  }
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { kind: 'none' }
  if (coding !== undefined) return { kind: 'chunked' }
  if (length === undefined) return { kind: 'close' }
  return length === '0' ? { kind: 'none' } : { kind: 'length', bytes: Number(length) }
}

function isKept(isVersion11: boolean, { connection, 'transfer-encoding': coding }: IncomingHttpHeaders): boolean {
  // Chunks were not known to 1.0: it can be read, but not be trusted with what follows (RFC 9112 §6.1).
  if (!isVersion11 && coding !== undefined) return false
  if (connection === undefined) return isVersion11
  const options = connection.toLowerCase().split(',')
  const says = (option: string): boolean => options.some((text) => text.trim() === option)
  return !says('close') && (isVersion11 || says('keep-alive'))
}

function keepAliveMs(header: string | string[] | undefined): number | undefined {
  const seconds = typeof header === 'string' ? TIMEOUT.exec(header)?.[1] : undefined
  return seconds === undefined ? undefined : Number(seconds) * 1000
}

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
/** Of the fields behind the last chunk, which are not passed on. */
const MAX_TRAILER_BYTES = 16 * 1024

/** RFC 9112 §7.1; digits enough for 2^52. */
const SIZE_LINE = /^([0-9a-fA-F]{1,13})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/

const TRAILER = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/

const LF = 0x0a
const CR = 0x0d

/** Hexadecimal digits of a size that fits into 32 bits; longer ones are read as a line. */
const MAX_PLAIN_DIGITS = 7

function hexDigit(code = 0): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined
}

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
      at = this.#readPlainLine(chunk, at) ?? this.#readLine(chunk, at)
    }
    return { piece: undefined, at }
  }

  /** A size without extensions, or the end of a chunk, that has come whole: no string is made of it, which takes a third of the time. */
  #readPlainLine(chunk: Buffer, from: number): number | undefined {
    if (this.#line !== '' || this.#state === 'trailer') return undefined
    let at = from
    let size = 0
    if (this.#state === 'size') {
      for (let digit = hexDigit(chunk[at]); digit !== undefined && at < from + MAX_PLAIN_DIGITS;) {
        size = size * 16 + digit
        at += 1
        digit = hexDigit(chunk[at])
      }
      if (size === 0) return undefined
    }
    if (chunk[at] !== CR || chunk[at + 1] !== LF) return undefined
    this.#left = size
    this.#state = this.#state === 'size' ? 'data' : 'size'
    return at + 2
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
