import { AppError } from '#shared/errors.js'
import type { RequestBody } from '../body/request-body.js'

/** What a request asks for: one `key=value` pair. */
export interface IdentityQuery {
  key: string
  value: string
}

/** Tiers of identity groups that may serve: 0 exact only, 1 also `key=*`, 2 also `all`. */
export type FallbackLevel = 0 | 1 | 2

/** Fields of a JSON body that are looked at, so that a huge object costs no more than a small one. */
const MAX_FIELDS = 64
const MAX_VALUE_LENGTH = 512

/** `X-Ocf-Fallback` (or its older spelling); anything but 1 and 2 is 0. */
export function fallbackLevel(header: string | undefined): FallbackLevel {
  return header === '1' ? 1 : header === '2' ? 2 : 0
}

/**
 * Parses `X-Ocf-Identity-Group: key=value`, split at the first `=`.
 * @throws AppError `invalid_request`
 */
export function parseIdentityHeader(header: string): IdentityQuery {
  const at = header.indexOf('=')
  const key = header.slice(0, Math.max(at, 0)).trim()
  const value = header.slice(at + 1).trim()
  if (key === '' || value === '' || header.length > MAX_VALUE_LENGTH) {
    throw new AppError('invalid_request', 'X-Ocf-Identity-Group must look like model=llama3.2.')
  }
  return { key, value }
}

/**
 * The pairs that an identity group of `service` can match. For `llm` that is the model alone: otherwise a stranger who
 * registers `stream=true` would be an exact match for everybody's requests.
 */
export function identityQueries(service: string, body: RequestBody): IdentityQuery[] {
  if (body.kind === 'none') return service === 'llm' ? scalarQuery('model', body.model) : []
  if (body.kind !== 'read') return []
  if (body.form?.model !== undefined) return [{ key: 'model', value: body.form.model }]
  const { json } = body
  if (json === undefined) return []
  if (service === 'llm') return scalarQuery('model', json.scalar('model'))
  return json.names.slice(0, MAX_FIELDS).flatMap((key) => scalarQuery(key, json.scalar(key)))
}

function scalarQuery(key: string, value: unknown): IdentityQuery[] {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return []
  const text = String(value)
  return text === '' || text.length > MAX_VALUE_LENGTH ? [] : [{ key, value: text }]
}

/**
 * The identity-group entries that match, best tier first. A tier is present only where `fallback` opens it.
 */
export function matchingEntries(queries: readonly IdentityQuery[], fallback: FallbackLevel): string[][] {
  // A value that reads `*` is no key to the wildcard tier.
  const tiers = [queries.filter(({ value }) => value !== '*').map(({ key, value }) => `${key}=${value}`)]
  if (fallback >= 1) tiers.push(queries.map(({ key }) => `${key}=*`))
  if (fallback >= 2) tiers.push(['all'])
  return tiers
}
