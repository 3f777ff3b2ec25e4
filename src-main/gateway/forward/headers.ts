import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '#shared/errors.js'

/** Headers of a message, lower-case, as Node and `http-client` hand them over. */
export type Headers = Record<string, string | string[]>

/** RFC 9110 §7.6.1, with the legacy ones that still turn up. They concern one connection and are never forwarded. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'expect',
  'http2-settings',
])

/** What a stranger's computer gets to see of a request for a model: what the server needs to answer it. */
const SHARED_REQUEST_HEADERS = new Set([
  'accept',
  'accept-encoding',
  'anthropic-beta',
  'anthropic-version',
  'content-encoding',
  'content-length',
  'content-type',
  'openai-beta',
  'range',
])

/** What one computer may tell another besides the body. Nothing that sets state or policy in the client's browser. */
const SHARED_RESPONSE_HEADERS = new Set([
  'accept-ranges',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'last-modified',
  'retry-after',
  'vary',
])

/** `x-` headers that name a person, carry a secret, or are ours to set. */
const PRIVATE_EXTENSION =
  /^x-(?:forwarded|real-ip|client-ip|api-key|auth|csrf|xsrf|ocf|otela|computing-node|request-id|stainless|frame|xss|content-type-options|permitted|dns)/

/** Which service the headers belong to: model requests get the short list, other services their `x-` headers too. */
export type HeaderPolicy = 'llm' | 'generic' | 'own'

export const headerPolicyOf = (service: string): HeaderPolicy => (service === 'llm' ? 'llm' : 'generic')

/**
 * Request headers to forward. `own` (this machine's app to this machine's server) keeps everything end-to-end but where a
 * web page is: the gateway has judged that, and the server behind it is asked by the gateway. The other policies never
 * let a cookie, an Authorization or an address of the client out.
 */
export function requestHeaders(from: IncomingHttpHeaders, policy: HeaderPolicy): Headers {
  const listed = connectionListed(from.connection)
  const to: Headers = {}
  for (const name in from) {
    const value = from[name]
    if (value === undefined || HOP_BY_HOP.has(name) || listed?.has(name)) continue
    if (policy === 'own' ? isOurs(name) : !isShared(name, SHARED_REQUEST_HEADERS, policy)) continue
    to[name] = value
  }
  return to
}

/** Response headers to hand on. */
export function responseHeaders(from: IncomingHttpHeaders, policy: HeaderPolicy): Headers {
  const listed = connectionListed(from.connection)
  const to: Headers = {}
  for (const name in from) {
    const value = from[name]
    if (value === undefined || HOP_BY_HOP.has(name) || listed?.has(name)) continue
    // Cross-origin rules are this gateway's to set, not the provider's.
    if (name.startsWith('access-control-') || name === 'x-computing-node' || name === 'x-request-id') continue
    if (policy !== 'own' && !isShared(name, SHARED_RESPONSE_HEADERS, 'generic') && !name.startsWith('openai-')) continue
    to[name] = value
  }
  if (policy !== 'own' && isActiveContent(to['content-type'])) {
    // A page from a stranger must not run as if it came from this gateway.
    to['content-security-policy'] = 'sandbox'
    to['x-content-type-options'] = 'nosniff'
  }
  return to
}

/** What is said to this gateway and not to the server behind it. */
function isOurs(name: string): boolean {
  return name.startsWith('x-ocf-') || name.startsWith('sec-fetch-') || name === 'origin' || name === 'referer'
}

function isShared(name: string, shared: ReadonlySet<string>, policy: HeaderPolicy): boolean {
  if (shared.has(name)) return true
  return policy === 'generic' && name.startsWith('x-') && !PRIVATE_EXTENSION.test(name)
}

/** Headers the `Connection` header names are hop-by-hop too. */
function connectionListed(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
}

function isActiveContent(contentType: string | string[] | undefined): boolean {
  const text = Array.isArray(contentType) ? contentType[0] : contentType
  return text !== undefined && /html|xml|svg|javascript/i.test(text)
}

/** The gateways a request went through, oldest first: comma-separated peer ids. */
export const HOPS_HEADER = 'x-ocf-hops'

/** A peer id as text: base58 or base32. Anything else a client puts here is dropped and travels no further. */
const PEER_ID = /^[A-Za-z0-9]{32,128}$/

/** More gateways than any sensible path has. */
const MAX_HOPS = 8

/**
 * The value to send on, with this node's id added.
 * @throws AppError `loop_detected` when the request was here before, or went through too many gateways
 */
export function nextHops(header: string | string[] | undefined, ownPeerId: string): string {
  if (header === undefined) return ownPeerId
  const seen = (Array.isArray(header) ? header.join(',') : header).split(',').map((id) => id.trim())
  const hops = seen.filter((id) => PEER_ID.test(id))
  if (hops.includes(ownPeerId) || hops.length >= MAX_HOPS) {
    throw new AppError(
      'loop_detected',
      'This request came back to a gateway it had already passed. A shared service points at an OCF gateway: share the model server itself.',
    )
  }
  return [...hops, ownPeerId].join(',')
}
