import type { IncomingHttpHeaders } from 'node:http'
import { MalformedAnswerError } from './errors.js'

/** The head of an answer, as far as this client needs to understand it. */
export interface ResponseHead {
  status: number
  /** Lower-case names; several of one name are a list. */
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
  const keepAlive = framing.kind !== 'close' && isKept(line[1] === '1', headers.connection)
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
    // `__proto__` is a fine name for a header, and none for a property.
    if (!NAME.test(name) || name === '__proto__') throw new MalformedAnswerError('a line of its head is no header')
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

function addField(headers: IncomingHttpHeaders, name: string, value: string): void {
  if (!Object.hasOwn(headers, name)) headers[name] = value
  else {
    const known = headers[name]
    if (Array.isArray(known)) known.push(value)
    else if (known !== undefined) headers[name] = [known, value]
  }
}

function framingOf(status: number, headers: IncomingHttpHeaders, method: string): ResponseFraming {
  const coding: unknown = headers['transfer-encoding']
  const length: unknown = headers['content-length']
  if (coding !== undefined) {
    if (length !== undefined) throw new MalformedAnswerError('it tells its length in two ways')
    if (typeof coding !== 'string' || coding.toLowerCase() !== 'chunked') {
      throw new MalformedAnswerError('its transfer coding is not understood')
    }
  }
  if (length !== undefined && (typeof length !== 'string' || !DIGITS.test(length))) {
    throw new MalformedAnswerError('its length is no number')
  }
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { kind: 'none' }
  if (coding !== undefined) return { kind: 'chunked' }
  if (length === undefined) return { kind: 'close' }
  return length === '0' ? { kind: 'none' } : { kind: 'length', bytes: Number(length) }
}

function isKept(isVersion11: boolean, connection: string | string[] | undefined): boolean {
  if (connection === undefined) return isVersion11
  const options = (Array.isArray(connection) ? connection.join(',') : connection).toLowerCase().split(',')
  const says = (option: string): boolean => options.some((text) => text.trim() === option)
  return !says('close') && (isVersion11 || says('keep-alive'))
}

function keepAliveMs(header: string | string[] | undefined): number | undefined {
  const seconds = TIMEOUT.exec(Array.isArray(header) ? header.join(',') : (header ?? ''))?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
