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
const MODEL_REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'anthropic-beta',
  'anthropic-version',
  'content-encoding',
  'content-length',
  'content-type',
  'openai-beta',
])

/** The same for any other service: what belongs to the body, to negotiating it, and to asking for a part of it. */
const GENERIC_REQUEST_HEADERS: ReadonlySet<string> = new Set([
  ...MODEL_REQUEST_HEADERS,
  'accept-charset',
  'accept-language',
  'cache-control',
  'content-digest',
  'content-disposition',
  'content-language',
  'content-range',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-event-id',
  'range',
])

/** What one computer may tell another besides the body. Nothing that sets state or policy in the client's browser. */
const SHARED_RESPONSE_HEADERS: ReadonlySet<string> = new Set([
  'accept-ranges',
  'allow',
  'cache-control',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'openai-model',
  'openai-processing-ms',
  'openai-version',
  'retry-after',
  'vary',
])

/** What a browser says of the page behind a request; a server that has it may take the page for one of its own. */
const PAGE_HEADER = /^(?:origin|referer|sec-fetch-.*)$/

/** Which service the headers belong to, or that both ends are this machine's own. */
export type HeaderPolicy = 'llm' | 'generic' | 'own'

export const headerPolicyOf = (service: string): HeaderPolicy => (service === 'llm' ? 'llm' : 'generic')

const REQUEST_HEADERS = { llm: MODEL_REQUEST_HEADERS, generic: GENERIC_REQUEST_HEADERS } as const

/** Which of the headers that tell of a body still hold. */
interface BodyWords {
  /** `Content-Length` */
  length: boolean
  /** `Content-Encoding` */
  coding: boolean
}

/**
 * Request headers to forward. `own` (this machine's app to this machine's server) keeps everything end-to-end but what
 * tells of a web page; the other policies let nothing out that is not listed.
 */
export function requestHeaders(
  from: IncomingHttpHeaders,
  policy: HeaderPolicy,
  body: BodyWords = { length: true, coding: true },
): Headers {
  const listed = connectionListed(from.connection)
  const to: Headers = {}
  for (const name in from) {
    const value = from[name]
    if (value === undefined || HOP_BY_HOP.has(name) || listed?.has(name)) continue
    if ((name === 'content-length' && !body.length) || (name === 'content-encoding' && !body.coding)) continue
    const isKept = policy === 'own' ? isOwnRequestHeader(name) : REQUEST_HEADERS[policy].has(name)
    if (isKept) to[name] = value
  }
  return to
}

const isOwnRequestHeader = (name: string): boolean => !name.startsWith('x-ocf-') && !PAGE_HEADER.test(name)

/** Response headers to hand on. */
export function responseHeaders(from: IncomingHttpHeaders, policy: HeaderPolicy): Headers {
  const listed = connectionListed(from.connection)
  const to: Headers = {}
  for (const name in from) {
    const value = from[name]
    if (value === undefined || HOP_BY_HOP.has(name) || listed?.has(name)) continue
    // Cross-origin rules are this gateway's to set, not the provider's.
    if (name.startsWith('access-control-') || name === 'x-computing-node' || name === 'x-request-id') continue
    if (policy === 'own' || SHARED_RESPONSE_HEADERS.has(name)) to[name] = value
  }
  if (policy === 'own') return to
  if (typeof to['content-disposition'] === 'string') {
    to['content-disposition'] = withoutFolders(to['content-disposition'])
  }
  if (isActiveContent(to['content-type'])) {
    // A page from a stranger must not run as if it came from this gateway.
    to['content-security-policy'] = 'sandbox'
    to['x-content-type-options'] = 'nosniff'
  }
  return to
}

/** A quoted value, or one up to the next semicolon. */
const FILE_NAME = /;\s*filename(\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/gi

/** `Content-Disposition` with file names that lead into no folder, and nothing else (RFC 6266 §4.3). */
function withoutFolders(disposition: string): string {
  const type = /^\s*inline\s*(?:;|$)/i.test(disposition) ? 'inline' : 'attachment'
  let names = ''
  for (const [, star = '', quoted, plain = ''] of disposition.matchAll(FILE_NAME)) {
    // Of two parameters of one name readers differ about which counts.
    if (names.includes(`filename${star}=`)) continue
    if (star === '') {
      const name = fileNameIn(quoted ?? plain)
      if (name !== '') names += `; filename="${name}"`
    } else {
      const [, charset = '', encoded = ''] = /^\s*([\w-]+'[\w-]*')([\w!#$&+\-.^`|~%]+)\s*$/.exec(plain) ?? []
      const name = fileNameIn(encoded)
      if (name !== '') names += `; filename*=${charset}${name}`
    }
  }
  return `${type}${names}`
}

/** The last piece of a path, whatever separates its pieces; empty where that is no name. */
function fileNameIn(value: string): string {
  const name =
    value
      .trim()
      .split(/[/\\":]|%(?:25)*(?:2f|5c|3a|22|00)/i)
      .at(-1) ?? ''
  return /^(?:[.\s]|%2e)*$/i.test(name) ? '' : name
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

/** Tells this machine's own app how its answer came to be. */
export function addOwnHeaders(
  headers: Headers,
  {
    requestId,
    peerId,
    attempts,
    readers,
    selectMs,
    route,
    timing,
  }: {
    requestId: string
    peerId: string
    attempts: number
    readers: number
    selectMs: number
    /** Why it went there, as `routeText` has it. */
    route: string | undefined
    timing: { connectMs: number; ttfbMs: number }
  },
): void {
  headers['x-computing-node'] = peerId
  headers['x-request-id'] = requestId
  headers['x-ocf-tries'] = String(attempts)
  headers['x-ocf-sent-to'] = String(readers)
  if (route !== undefined) headers['x-ocf-route'] = route
  headers['server-timing'] =
    `select;dur=${hundredths(selectMs)}, connect;dur=${hundredths(timing.connectMs)}, ttfb;dur=${hundredths(timing.ttfbMs)}`
  // Which headers are sent depends on whether a web page asks.
  const { vary } = headers
  headers['vary'] = vary === undefined ? 'Origin' : `${Array.isArray(vary) ? vary.join(', ') : vary}, Origin`
}

/** As `toFixed(2)` would have it, without trailing zeros, at a tenth of its price. */
const hundredths = (ms: number): number => Math.round(ms * 100) / 100
