import { AppError, toWireError } from '#shared/errors.js'
import type { Log } from '../../logging/index.js'
import { answerJson } from './answer-json.js'
import type { Arrival } from './arrival.js'
import { ClientGoneError } from '../body/request-body.js'

/** Answers a request with what went wrong; cuts its connection where something was sent already, or nobody waits. */
export function answerError(arrival: Arrival, error: unknown, log: Log): void {
  const { response, requestId, url } = arrival
  if (error instanceof ClientGoneError || response.destroyed) {
    response.destroy()
    return
  }
  if (!(error instanceof AppError)) log.error('a request failed inside this node', { requestId, error })
  if (response.headersSent) {
    response.destroy()
    return
  }
  const wire = toWireError(error, requestId)
  // Ollama's clients take a sentence where OpenAI's take an object.
  const body = url.startsWith('/api/') ? { ...wire.error, error: wire.error.message } : wire
  if (error instanceof AppError && error.retryAfterS !== undefined) {
    response.setHeader('Retry-After', String(error.retryAfterS))
  }
  answerJson(arrival, error instanceof AppError ? error.status : 500, body)
}
