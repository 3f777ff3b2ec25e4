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
export type ResponseFraming =
  { kind: 'none' } | { kind: 'length'; bytes: number } | { kind: 'chunked' } | { kind: 'close' }

/** Of a head, until its empty line. */
export const MAX_HEAD_BYTES = 64 * 1024

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/
const DIGITS = /^\d{1,15}$/
const TIMEOUT = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,6})/i

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

/** Several of one name become one (RFC 9110 §5.3), as the type says and whoever reads them expects. */
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
