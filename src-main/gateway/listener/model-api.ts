import type { IncomingHttpHeaders } from 'node:http'
import type { WireError } from '#shared/errors.js'
import type { Framing } from '../body/stream-events.js'

/** Whose interface a request speaks, and so whose errors and lists its client reads. */
export type ModelApi = 'openai' | 'anthropic' | 'ollama'

/** What stands before a path of a model server where its service, or the node that has it, is named. */
const PREFIX = /^(?:\/v1\/p2p\/[^/?]+)?\/v1\/(?:_service|service)\/llm(?=\/)/

/** Reads it from the path, and from the header that all of Anthropic's clients send where both have that path. */
export function modelApiOf(url: string, headers: IncomingHttpHeaders): ModelApi {
  const path = url.replace(PREFIX, '')
  if (path.startsWith('/api/')) return 'ollama'
  if (/^\/v1\/messages(?:[/?]|$)/.test(path)) return 'anthropic'
  return headers['anthropic-version'] !== undefined && /^\/v1\/models(?:[/?]|$)/.test(path) ? 'anthropic' : 'openai'
}

/** https://docs.anthropic.com/en/api/errors; 503 is what they answer 529 for. */
const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
}

/** An error as clients of that interface read it; the code of the closed vocabulary is always in it. */
export function errorBody(api: ModelApi, status: number, wire: WireError): object {
  const { error } = wire
  // Ollama's clients take a sentence where OpenAI's take an object.
  if (api === 'ollama') return { ...error, error: error.message }
  if (api === 'openai') return wire
  const type = ANTHROPIC_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
  return { type: 'error', error: { ...error, type }, request_id: error.request_id }
}

/** The last event of a stream that broke off. */
export function errorEvent(framing: Framing, body: object): string {
  const json = JSON.stringify(body)
  return framing === 'ndjson' ? `${json}\n` : `event: error\ndata: ${json}\n\n`
}
