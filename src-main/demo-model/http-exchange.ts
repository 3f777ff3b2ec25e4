import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '#shared/errors.js'
import type { SseEvent } from './answer-format.js'

const MAX_BODY_BYTES = 16 * 1024 * 1024

/** So much of a body that is too large is read and thrown away. */
const MAX_DRAINED_BYTES = 4 * MAX_BODY_BYTES

/** Aborts when the client goes away before its answer is complete, or when `stopping` aborts. */
export function signalOf(response: ServerResponse, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'))
  })
  return AbortSignal.any([gone.signal, stopping])
}

/**
 * The request's JSON.
 * @throws AppError `invalid_json`, `body_too_large`
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= MAX_BODY_BYTES) chunks.push(chunk)
    // Leaving the loop cuts the connection, and the client would not get to read why.
    if (size > MAX_DRAINED_BYTES) break
  }
  if (size > MAX_BODY_BYTES) throw new AppError('body_too_large', `The body is larger than ${MAX_BODY_BYTES} bytes.`)
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new AppError('invalid_json', 'The body is not valid JSON.', { cause: error })
    throw error
  }
}

/** Whether the client went away, as far as is known: a broken upload is noticed before the answer's end. */
export function isGone(request: IncomingMessage, response: ServerResponse): boolean {
  return response.destroyed || (request.destroyed && !request.complete)
}

/** Sends one JSON document. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers })
  response.end(bytes)
}

/** Opens a stream of events; its headers leave at once. */
export function openEventStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  response.flushHeaders()
}

/**
 * Sends events and waits while the client reads slower than they come.
 * @throws the signal's reason when it aborts
 */
export async function sendEvents(
  response: ServerResponse,
  events: readonly SseEvent[],
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  if (events.length === 0) return
  const text = events.map(({ event, data }) => {
    const payload = data === '[DONE]' ? '[DONE]' : JSON.stringify(data)
    return `${event === undefined ? '' : `event: ${event}\n`}data: ${payload}\n\n`
  })
  if (response.write(text.join(''))) return
  try {
    await once(response, 'drain', { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}
