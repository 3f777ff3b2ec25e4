import type { IncomingMessage } from 'node:http'
import { AppError } from '#shared/errors.js'
import { readBody } from '../body/read-body.js'

/**
 * The JSON that a request to this node itself carries; an empty body is an empty object.
 * @throws AppError `unsupported_media_type`, `invalid_json`, `body_too_large` beyond `maxBytes`; `ClientGoneError`
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new AppError('unsupported_media_type', 'Send the body as application/json.')
  }
  const { bytes } = await readBody(request, { maxBytes })
  if (bytes.length === 0) return {}
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch {
    // What the parser says quotes the body.
    throw new AppError('invalid_json', 'The body is not valid JSON.')
  }
}
