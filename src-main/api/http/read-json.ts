import type { IncomingMessage } from 'node:http'
import { AppError } from '#shared/errors.js'

/** The body of a request as JSON; an empty body is an empty object. Throws `body_too_large` beyond `maxBytes`, `invalid_json`, `unsupported_media_type`. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') {
    throw new AppError('unsupported_media_type', 'Send the input as application/json.')
  }
  const tooLarge = () => new AppError('body_too_large', `The input is larger than ${maxBytes} bytes.`)
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  if (size === 0) return {}
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw new AppError('invalid_json', 'The input is not valid JSON.', { cause: error })
  }
}
