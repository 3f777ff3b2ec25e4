import type { HttpClient } from './index.js'

/** A short answer, read whole. */
export interface ShortAnswer {
  status: number
  /** UTF-8; cut off behind `maxBytes`. */
  text: string
}

/** GET. Rejects when the answer does not come before `signal` aborts, and with the errors of an {@link HttpClient}. */
export function ask(
  client: Pick<HttpClient, 'send'>,
  {
    host,
    path,
    maxBytes,
    signal,
    headers = {},
  }: { host: string; path: string; maxBytes: number; signal: AbortSignal; headers?: Record<string, string> },
): Promise<ShortAnswer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let bytes = 0
    let status = 0
    const answer = (): void => resolve({ status, text: Buffer.concat(pieces).toString('utf8', 0, maxBytes) })
    const giveUp = (): Error => new Error('no answer in time', { cause: signal.reason })
    if (signal.aborted) {
      reject(giveUp())
      return
    }
    let abort: (error: Error) => void = reject
    const onAbort = (): void => abort(giveUp())
    signal.addEventListener('abort', onAbort, { once: true })
    client.send(
      { method: 'GET', path, headers: { host, ...headers }, body: null, idleTimeoutMs: 0 },
      {
        onStart(exchange) {
          abort = (error) => exchange.abort(error)
          if (signal.aborted) onAbort()
        },
        onUpgrade: (_headers, socket) => socket.destroy(),
        onHead(given) {
          status = given
        },
        onData(piece) {
          pieces.push(piece)
          bytes += piece.byteLength
          if (bytes < maxBytes) return
          answer()
          abort(new Error('enough was read'))
        },
        onEnd() {
          signal.removeEventListener('abort', onAbort)
          answer()
        },
        onError(error) {
          signal.removeEventListener('abort', onAbort)
          reject(error)
        },
      },
    )
  })
}
