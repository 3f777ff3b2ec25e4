import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '#shared/errors.js'
import type { Arrival } from '../listener/arrival.js'

const one = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header)

/** What a request asks of its provider, under this project's name of the header or the Go implementation's. */
export function identityGroupHeader(headers: IncomingHttpHeaders): string | undefined {
  return one(headers['x-ocf-identity-group']) ?? one(headers['x-otela-identity-group'])
}

/** How far beyond exact matches a request may go, under either name. */
export function fallbackHeader(headers: IncomingHttpHeaders): string | undefined {
  return one(headers['x-ocf-fallback'] ?? headers['x-otela-fallback'])
}

/**
 * Refuses what would be a promise that is not kept: levels of trust are made from wallets there, which nodes here have not.
 * @throws AppError `invalid_request`
 */
export function refuseTrustLevels(headers: IncomingHttpHeaders): void {
  const level = one(headers['x-otela-trust'])?.trim() ?? ''
  if (level === '' || level === '0') return
  throw new AppError(
    'invalid_request',
    'X-Otela-Trust is not understood: this network has no wallets to make levels of trust from. Leave the header out, or send X-Ocf-Only: trusted to reach only the peers you trust.',
    { param: 'X-Otela-Trust' },
  )
}

/** Reasons for which another provider may still take the request. */
const OTHERS_MAY = new Set(['provider_busy', 'no_provider', 'rate_limited'])

/**
 * Whether a request that failed is better cut off than answered: a head of the Go implementation hands any answer on to its
 * client, and asks the next provider only where there is none.
 */
export function isForNextProvider({ listener, request, response }: Arrival, error: unknown): boolean {
  if (listener !== 'peer' || response.headersSent || request.headers['x-otela-request-id'] === undefined) return false
  return error instanceof AppError && OTHERS_MAY.has(error.code)
}
