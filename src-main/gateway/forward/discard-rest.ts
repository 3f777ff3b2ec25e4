import type { IncomingMessage, ServerResponse } from 'node:http'

/** After the answer, how long the rest of a request body may still come before its connection is cut. */
const DISCARD_MS = 2_000

/**
 * The client is still sending a body that nobody wants any more. What comes is thrown away, so that the client gets to
 * read the answer: closing while unread bytes are left would reset the connection and may take the answer with it. So
 * there is no `Connection: close` either; a client that stops in time keeps its connection.
 */
export function discardRest(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || request.destroyed) return
  request.resume()
  const limit = (): void => {
    if (request.complete) return
    const timer = setTimeout(() => request.destroy(), DISCARD_MS)
    timer.unref()
    request.once('close', () => clearTimeout(timer))
  }
  if (response.writableFinished) limit()
  else response.once('finish', limit)
}
