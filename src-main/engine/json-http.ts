import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError, toWireError } from '#shared/errors.js'

/** A request's body; a long conversation has some megabytes. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/** A request's whole body. @throws AppError `body_too_large` beyond 64 MiB */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new AppError('body_too_large', 'The request is too large for the engine.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** What a body says. @throws AppError `invalid_json` */
export function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new AppError('invalid_json', 'The body is no JSON.', { cause })
  }
}

/** Answers with this JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** Answers with an error: of the vocabulary with its status, any other as a failure of the engine. */
export function sendError(response: ServerResponse, error: unknown): void {
  const { status, retryAfterS } = error instanceof AppError ? error : { status: 500, retryAfterS: undefined }
  const headers = retryAfterS === undefined ? undefined : { 'retry-after': String(retryAfterS) }
  sendJson(response, status, toWireError(error, 'engine'), headers)
}
