import type { IncomingMessage } from 'node:http'
import { AppError } from '#shared/errors.js'
import { JsonScanner } from '../../base/json/scanner.js'
import { readBody } from '../body/read-body.js'

/**
 * Of what is sent to the node itself: a share of a thousand models is the largest. `JSON.parse` builds all of it before
 * anyone can look: with the 90,000 fields that fit into 1 MiB others waited for 150 ms.
 */
const BOUNDS = { depth: 32, values: 10_000, members: 10_000 }
/** The scanner reads objects; what is sent may be any value. */
const [BEFORE, AFTER] = [Buffer.from('{"":'), Buffer.from('}')]

/**
 * The JSON that a request to this node itself carries; an empty body is an empty object.
 * @throws AppError `unsupported_media_type`, `invalid_json`, `body_too_large` beyond `maxBytes` or of more values than
 * any call has; `ClientGoneError`
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new AppError('unsupported_media_type', 'Send the body as application/json.')
  }
  const { bytes } = await readBody(request, { maxBytes })
  if (bytes.length === 0) return {}
  const scanner = new JsonScanner(BOUNDS)
  for (const piece of [BEFORE, bytes, AFTER]) scanner.push(piece)
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch {
    // What the parser says quotes the body.
    throw new AppError('invalid_json', 'The body is not valid JSON.')
  }
}
