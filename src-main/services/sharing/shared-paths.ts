import { AppError } from '#shared/errors.js'
import { BoundedMap } from '../../base/bounded-map.js'
import type { SharedPath } from '../index.js'

/** Where models are asked for answers: OpenAI's, Anthropic's and the reranker's paths, all of them `POST`. */
export const MODEL_PATHS: readonly string[] = [
  '/v1/chat/completions',
  '/v1/chat/completions/input_tokens',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/responses',
  '/v1/responses/input_tokens',
  '/v1/messages',
  '/v1/messages/count_tokens',
  '/v1/rerank',
  '/v1/reranking',
  '/v1/audio/*',
  '/v1/images/*',
]

/** The same in Ollama's own interface. */
export const OLLAMA_MODEL_PATHS: readonly string[] = ['/api/chat', '/api/generate', '/api/embed', '/api/embeddings']

/** What the service `llm` shares with peers: asking for answers, never the server's management calls. */
export const LLM_SHARED_PATHS: readonly SharedPath[] = [
  { method: 'GET', path: '/v1/models' },
  ...[...MODEL_PATHS, ...OLLAMA_MODEL_PATHS].map((path) => ({ method: 'POST', path })),
]

/** Whether a raw path of the service `llm` asks a model; its owner may have shared others beside. */
export const isModelPath = (rawPath: string): boolean => isPathShared(LLM_SHARED_PATHS, 'POST', rawPath)

/** Stands for the method where a WebSocket is meant: `WEBSOCKET /v1/realtime`. */
export const WEBSOCKET = 'WEBSOCKET'

/** What a generic service shares unless its owner says less. WebSockets are never meant unless they are named. */
export const EVERY_PATH: readonly SharedPath[] = [{ method: '*', path: '/*' }]

/** A path that is still encoded after so many rounds is an attack. */
const MAX_DECODE_ROUNDS = 4

/**
 * Reads `POST /v1/echo`, `/v1/echo` (any method) or `WEBSOCKET /v1/realtime`; a path may end in `*` for a prefix.
 * @throws AppError `invalid_service`
 */
export function parseSharedPath(text: string): SharedPath {
  const [, method = '*', path = ''] = /^(?:(\S+)\s+)?(\S+)$/.exec(text.trim()) ?? []
  if (!isSharedPath(method.toUpperCase(), path)) {
    throw new AppError(
      'invalid_service',
      `"${text}" is not a path to share. Write it as "POST /v1/echo", "/v1/echo" or "/v1/files/*".`,
    )
  }
  return { method: method.toUpperCase(), path }
}

/** Whether a method (capitals, or `*` for any) and a path (`*` only at its end) can stand for what is shared. */
export function isSharedPath(method: string, path: string): boolean {
  const isMethod = method === '*' || /^[A-Z]+$/.test(method)
  return isMethod && /^\/[^\s?#*\\%]*\*?$/.test(path) && !hasTrickySegment(path) && !path.includes('//')
}

/**
 * Whether a peer may ask for `rawPath`, the request target exactly as it was sent (query included).
 * Every reading a server behind us may make of it (decoded once or again, slashes collapsed, dots resolved) stays
 * inside what is shared: each form it decodes to must match the same pattern, and forms that move are refused.
 */
export function isPathShared(sharedPaths: readonly SharedPath[], method: string, rawPath: string): boolean {
  const path = rawPath.split('?', 1)[0] ?? ''
  const forms = path.length > MAX_REMEMBERED_CHARS ? readingsOf(path) : rememberedReadingsOf(path)
  if (forms === undefined) return false
  const movable = forms.some((form) => form.includes('//'))
  return sharedPaths.some((shared) => {
    if (!allowsMethod(shared.method, method)) return false
    if (shared.path === '/*') return true
    return !movable && forms.every((form) => matches(shared.path, form))
  })
}

function allowsMethod(shared: string, method: string): boolean {
  if (method === WEBSOCKET) return shared === WEBSOCKET
  return shared === '*' || shared === method || (shared === 'GET' && method === 'HEAD')
}

function matches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern
}

/** Paths whose readings are kept: peers ask for a handful, again and again. */
const known = new BoundedMap<string, { forms: readonly string[] | undefined }>(64)
/** Longer ones are read each time. */
const MAX_REMEMBERED_CHARS = 200

function rememberedReadingsOf(path: string): readonly string[] | undefined {
  let readings = known.get(path)
  if (readings === undefined) {
    readings = { forms: readingsOf(path) }
    known.set(path, readings)
  }
  return readings.forms
}

/** The path and everything it decodes to, or undefined where one of them is not an honest path. */
function readingsOf(path: string): string[] | undefined {
  // A raw request target is visible ASCII; a fragment never belongs to one.
  if (!/^\/[\x21\x22\x24-\x7e]*$/.test(path)) return undefined
  const forms: string[] = []
  let form = path
  for (let round = 0; round <= MAX_DECODE_ROUNDS; round += 1) {
    if (isTricky(form)) return undefined
    forms.push(form)
    const decoded = decode(form, round)
    if (decoded === undefined) return undefined
    if (decoded === form) return forms
    form = decoded
  }
  return undefined
}

/** One round of percent-decoding; undefined for broken escapes and for bytes that are not UTF-8. */
function decode(form: string, round: number): string | undefined {
  try {
    return decodeURIComponent(form)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    // After the first round a lone "%" is plain text ("100%25" means "100%"), as long as no escape is left in it.
    return round > 0 && !/%[0-9a-f]{2}/i.test(form) ? form : undefined
  }
}

function isTricky(form: string): boolean {
  const compatible = form.normalize('NFKC')
  return (
    // "//host/…" is another host when it is resolved as a URL.
    form.startsWith('//') ||
    /[\p{Cc}\\]/u.test(form) ||
    compatible.includes('\\') ||
    hasTrickySegment(form) ||
    (compatible !== form && (hasTrickySegment(compatible) || count(compatible, '/') !== count(form, '/')))
  )
}

/** A segment of dots only, also where a server strips spaces, `;parameters` or an encoded query first. */
function hasTrickySegment(form: string): boolean {
  return form.split('/').some((segment) => /^\s*\.+\s*(?:[;?#].*)?$/s.test(segment))
}

function count(text: string, character: string): number {
  return text.split(character).length - 1
}
