import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import { AppError } from '#shared/errors.js'
import type { AttemptRequest, AttemptResult } from './attempt/request.js'
import type { Exchange } from './exchange.js'
import { type HeaderPolicy, type Headers, responseHeaders } from './headers.js'
import type { AttemptTarget } from './targets.js'

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
  for (const name of ['sec-websocket-key', 'sec-websocket-version'] as const) {
    const value = from[name]
    if (value !== undefined) headers[name] = value
  }
  return { ...headers, ...negotiated(from, policy) }
}

/** What both sides of a handshake say of extensions and sub-protocols; to strangers nothing but names and parameters. */
function negotiated(from: IncomingHttpHeaders, policy: HeaderPolicy): Headers {
  const headers: Headers = {}
  const extensions = from['sec-websocket-extensions']
  if (extensions !== undefined && (policy === 'own' || PLAIN_EXTENSIONS.test(extensions))) {
    headers['sec-websocket-extensions'] = extensions
  }
  const protocols = (from['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  const kept = protocols.filter((name) => name !== '' && (policy === 'own' || isPublic(name)))
  if (kept.length > 0) headers['sec-websocket-protocol'] = kept.slice(0, MAX_PROTOCOLS).join(', ')
  return headers
}

/** `permessage-deflate; client_max_window_bits=15` and the like (RFC 6455 §9.1). */
const PLAIN_EXTENSIONS = /^[\w\-;=", \t]{1,512}$/

/** RFC 9110 §5.6.2 */
const TOKEN = /^[\w!#$%&'*+\-.^`|~]+$/

const isPublic = (protocol: string): boolean =>
  protocol.length <= MAX_PROTOCOL_LENGTH && TOKEN.test(protocol) && !PRIVATE_PROTOCOL.test(protocol)

/** Whether a server's 101 answers this very handshake: only its server knows the key. */
export function isAccepted(answer: IncomingHttpHeaders, request: IncomingHttpHeaders): boolean {
  const key = request['sec-websocket-key'] ?? ''
  const expected = createHash('sha1').update(`${key}${ACCEPT_SUFFIX}`).digest('base64')
  return answer['sec-websocket-accept'] === expected && answer.upgrade?.toLowerCase() === 'websocket'
}

/** What of a server's 101 the client gets to see. */
export function acceptedHeaders(from: IncomingHttpHeaders, policy: HeaderPolicy): Headers {
  const headers: Headers = policy === 'own' ? responseHeaders(from, policy) : {}
  const accept = from['sec-websocket-accept']
  if (accept !== undefined) headers['sec-websocket-accept'] = accept
  return { ...headers, ...negotiated(from, policy) }
}

/** How an attempt ended, its WebSocket included. */
export type AttemptOutcome = Exclude<AttemptResult, { kind: 'upgraded' }>

/** Joins the client of an accepted handshake with the provider, until the WebSocket is over. Never rejects. */
export async function relayUpgraded(
  exchange: Exchange,
  { socket: server, headers, timing }: AttemptResult & { kind: 'upgraded' },
  about: Pick<AttemptRequest, 'idleTimeoutMs' | 'onData' | 'addOwnHeaders' | 'whyBrokenOff'> &
    Pick<AttemptTarget, 'policy'>,
): Promise<AttemptOutcome> {
  const answer = acceptedHeaders(headers, about.policy)
  about.addOwnHeaders(answer, timing)
  const client = exchange.reply.switchProtocols(answer)
  if (client === undefined) {
    server.destroy()
    return { kind: 'client-gone' }
  }
  exchange.traffic.update({ status: 101 })
  const end = await relaySockets({ client, server }, { idleMs: about.idleTimeoutMs, onServerData: about.onData })
  exchange.traffic.addBytes(end.clientBytes, end.serverBytes)
  if (end.by === 'idle') exchange.traffic.update({ error: 'upstream_timeout', cancelledBy: 'node' })
  if (end.broken && end.by === 'client') return { kind: 'client-gone' }
  if (end.broken) {
    const why = await about.whyBrokenOff?.()
    return {
      kind: 'cut',
      reason: why ?? 'connection lost',
      timedOut: false,
      goesOn: false,
      explained: why !== undefined,
      status: 101,
      timing,
    }
  }
  return { kind: 'relayed', status: 101, timing }
}

/** How two connected sockets came to their end. */
export interface RelayEnd {
  /** Who ended it: one side by closing or dying, or neither sent a byte for too long. */
  by: 'client' | 'server' | 'idle'
  /** True when that side broke its connection instead of closing it. */
  broken: boolean
  /** Bytes of the client and of the server. */
  clientBytes: number
  serverBytes: number
}

/** After one side's end, how long the other may still take to read what is on its way. */
const LAST_WORDS_MS = 2_000

/**
 * Passes bytes both ways, unread and with back-pressure, until both connections are closed. A WebSocket that lost one
 * direction is over, so the end of one side is the end of the other. No byte either way for `idleMs` (0: any time) cuts
 * both. Never rejects.
 */
export function relaySockets(
  { client, server }: { client: Duplex; server: Duplex },
  options: { idleMs: number; onServerData?: () => void },
): Promise<RelayEnd> {
  return new Promise((resolve) => {
    const counts = { client: 0, server: 0 }
    let end: Pick<RelayEnd, 'by' | 'broken'> | undefined
    let lastWords: NodeJS.Timeout | undefined
    let lastByteAt = performance.now()
    const idle = options.idleMs === 0 ? undefined : setInterval(cutIfIdle, options.idleMs / 4).unref()
    let open = 2

    function cutIfIdle(): void {
      if (performance.now() - lastByteAt < options.idleMs) return
      end ??= { by: 'idle', broken: false }
      client.destroy()
      server.destroy()
    }

    function ended(by: 'client' | 'server', broken: boolean): void {
      end ??= { by, broken }
      const other = by === 'client' ? server : client
      if (broken && by === 'client') other.destroy()
      else other.end()
      lastWords ??= setTimeout(() => {
        client.destroy()
        server.destroy()
      }, LAST_WORDS_MS).unref()
    }

    function closed(): void {
      open -= 1
      if (open > 0) return
      clearInterval(idle)
      clearTimeout(lastWords)
      resolve({ by: 'client', broken: true, ...end, clientBytes: counts.client, serverBytes: counts.server })
    }

    function follow(side: 'client' | 'server', from: Duplex, to: Duplex): void {
      from.on('data', (chunk: Buffer) => {
        counts[side] += chunk.length
        lastByteAt = performance.now()
        if (side === 'server') options.onServerData?.()
        if (to.writable && !to.write(chunk)) from.pause()
      })
      to.on('drain', () => from.resume())
      from.once('end', () => ended(side, false))
      from.once('error', () => ended(side, true))
      from.once('close', () => {
        ended(side, end === undefined)
        closed()
      })
      from.resume()
    }

    if (client.destroyed || server.destroyed) {
      const wasGone = client.destroyed ? 'client' : 'server'
      clearInterval(idle)
      client.destroy()
      server.destroy()
      resolve({ by: wasGone, broken: true, clientBytes: 0, serverBytes: 0 })
      return
    }
    follow('client', client, server)
    follow('server', server, client)
  })
}
