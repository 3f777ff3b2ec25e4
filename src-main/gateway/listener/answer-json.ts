import type { Arrival } from './arrival.js'

/** Answers with a value as JSON, beside whatever headers the response has already. */
export function answerJson({ response, requestId, door }: Arrival, status: number, value: unknown): void {
  const body = JSON.stringify(value)
  if (door === 'local') response.setHeader('X-Request-Id', requestId)
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.statusCode = status
  response.end(body)
}
