import type { HttpRequest } from './index.js'
import { UnsendableRequestError } from './errors.js'

/** How a body is framed: by a length that is told, in chunks, or there is none. */
export type RequestFraming = { kind: 'none' } | { kind: 'length'; bytes: number } | { kind: 'chunked' }

/** RFC 9110 §5.6.2 */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Lower-case only: `Transfer-Encoding` must not get past the look at `transfer-encoding`. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
/** RFC 9110 §5.5, with all of latin1: a byte is a character here. */
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/
const NOT_IN_PATH = /[^\x21-\x7e\x80-\xff]/

/** Of these a server expects to be told that they have no body (RFC 9110 §8.6). */
const MEANT_FOR_BODIES = new Set(['POST', 'PUT', 'PATCH'])

const DIGITS = /^\d{1,15}$/

/** @throws UnsendableRequestError for a length that is none */
export function framingOf({ body, headers, method }: HttpRequest): RequestFraming {
  if (body === null) return MEANT_FOR_BODIES.has(method) ? { kind: 'length', bytes: 0 } : { kind: 'none' }
  if (Buffer.isBuffer(body)) return { kind: 'length', bytes: body.byteLength }
  const declared = headers['content-length']
  if (declared === undefined) return { kind: 'chunked' }
  if (typeof declared !== 'string' || !DIGITS.test(declared))
    throw new UnsendableRequestError('its length is no number')
  return { kind: 'length', bytes: Number(declared) }
}

/**
 * The bytes before the body, one a character (latin1).
 * @throws UnsendableRequestError for what would not arrive as it was meant, or as more than one request
 */
export function requestHead(request: HttpRequest): string {
  const { method, path, headers, upgrade } = request
  const framing = framingOf(request)
  // What answers CONNECT is a tunnel, and nobody here reads one.
  if (!TOKEN.test(method) || method === 'CONNECT') throw new UnsendableRequestError('its method is malformed')
  if (path === '' || NOT_IN_PATH.test(path)) throw new UnsendableRequestError('its path is malformed')
  let head = `${method} ${path} HTTP/1.1\r\n`
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || name === 'content-length') continue
    if (name === 'connection' || name === 'transfer-encoding' || name === 'upgrade' || !NAME.test(name)) {
      throw new UnsendableRequestError(`its header ${JSON.stringify(name.slice(0, 40))} can not be sent`)
    }
    if (typeof value === 'string') head += headerLine(name, value)
    else for (const single of value) head += headerLine(name, single)
  }
  if (framing.kind === 'length') head += `content-length: ${framing.bytes}\r\n`
  else if (framing.kind === 'chunked') head += 'transfer-encoding: chunked\r\n'
  if (upgrade !== undefined) head += `connection: upgrade\r\nupgrade: ${upgrade}\r\n`
  return `${head}\r\n`
}

function headerLine(name: string, value: string): string {
  if (NOT_IN_VALUE.test(value)) throw new UnsendableRequestError(`the value of its header "${name}" is malformed`)
  return `${name}: ${value}\r\n`
}
