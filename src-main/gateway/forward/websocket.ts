import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '#shared/errors.js'
import { responseHeaders, type HeaderPolicy, type Headers } from './headers.js'

/** Appended to the key before hashing (RFC 6455 §1.3). */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Sub-protocols a handshake may name, and characters of each that travel to another computer. */
const MAX_PROTOCOLS = 16
const MAX_PROTOCOL_LENGTH = 64

/**
 * Sub-protocols in which web pages put what they can't put into headers: `openai-insecure-api-key.sk-…`,
 * `base64url.bearer.authorization.k8s.io.…`.
 */
const PRIVATE_PROTOCOL = /key|token|auth|bearer|secret|session|organi[sz]ation|project|jwt/i

/** @throws AppError `invalid_request` for a handshake that no server would take (RFC 6455 §4.2.1) */
export function assertHandshake(headers: IncomingHttpHeaders): void {
  const isKey = /^[A-Za-z0-9+/]{22}==$/.test(headers['sec-websocket-key'] ?? '')
  if (isKey && headers['sec-websocket-version'] === '13') return
  throw new AppError(
    'invalid_request',
    'This is no WebSocket handshake: it needs a Sec-WebSocket-Key of 16 bytes in base64 and Sec-WebSocket-Version: 13.',
  )
}

/** The handshake's own headers, besides those any request has. No secret of the client leaves this machine in them. */
export function handshakeHeaders(from: IncomingHttpHeaders, policy: HeaderPolicy): Headers {
  const headers: Headers = {}
  for (const name of ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions'] as const) {
    const value = from[name]
    if (value !== undefined) headers[name] = value
  }
  const protocols = (from['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  const kept = protocols.filter((name) => name !== '' && (policy === 'own' || isPublic(name)))
  if (kept.length > 0) headers['sec-websocket-protocol'] = kept.slice(0, MAX_PROTOCOLS).join(', ')
  return headers
}

const isPublic = (protocol: string): boolean =>
  protocol.length <= MAX_PROTOCOL_LENGTH && !PRIVATE_PROTOCOL.test(protocol)

/** Whether a server's 101 answers this very handshake: nobody else knows the key. */
export function isAccepted(answer: IncomingHttpHeaders, request: IncomingHttpHeaders): boolean {
  const key = request['sec-websocket-key'] ?? ''
  const expected = createHash('sha1').update(`${key}${ACCEPT_SUFFIX}`).digest('base64')
  return answer['sec-websocket-accept'] === expected && answer.upgrade?.toLowerCase() === 'websocket'
}

/** What of a server's 101 the client gets to see. */
export function acceptedHeaders(from: IncomingHttpHeaders, policy: HeaderPolicy): Headers {
  const headers: Headers = policy === 'own' ? responseHeaders(from, policy) : {}
  for (const name of ['sec-websocket-accept', 'sec-websocket-protocol', 'sec-websocket-extensions'] as const) {
    const value = from[name]
    if (value !== undefined) headers[name] = value
  }
  return headers
}
