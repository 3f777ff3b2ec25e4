import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex, Readable } from 'node:stream'

/** A request of HTTP/1.1 to where a client's connections lead. */
export interface HttpRequest {
  method: string
  /** Path and query, exactly as they shall arrive. */
  path: string
  /**
   * Lower-case names, `host` among them. What frames the message (`connection`, `transfer-encoding`) is the client's to
   * say, and so is the length of a body it holds; of a stream's, `content-length` may tell it.
   */
  headers: Readonly<Record<string, string | string[]>>
  body: Buffer | Readable | null
  /**
   * No byte, in either direction, for this long ends it; 0 never does. A head that has begun to come has 30 s to be
   * complete in any case. At most a tenth is added.
   */
  idleTimeoutMs: number
  /** Asks for another protocol behind a 101. */
  upgrade?: 'websocket'
}

/** A request that is under way. After its end all of it does nothing. */
export interface HttpExchange {
  /** What it runs over. */
  readonly socket?: Duplex
  /** Ends it with `error`, and its connection. */
  abort(error: Error): void
  /**
   * No further data until {@link HttpExchange.resume}; the other side is held back. When the connection ends meanwhile,
   * what had come of the answer is given at once.
   */
  pause(): void
  resume(): void
}

/**
 * Hears what becomes of a request, in this order; `onError` may come at any time, and nothing follows it, `onEnd` or
 * `onUpgrade`. What `onStart`, `onHead`, `onData` or `onUpgrade` throws ends the exchange with that error.
 */
export interface AnswerHandler {
  /** There is a connection; the request is sent when this returns. */
  onStart(exchange: HttpExchange): void
  /** The other side has switched protocols. `socket` is paused; what came behind the 101 is the first it gives. */
  onUpgrade(headers: IncomingHttpHeaders, socket: Duplex): void
  /** The final answer's head: informational ones are left out. */
  onHead(status: number, headers: IncomingHttpHeaders): void
  onData(piece: Buffer): void
  onEnd(): void
  onError(error: Error): void
}

/** Connections to one server, or to one peer. */
export interface HttpClient {
  /** Sends a request over an idle connection or a new one. Never throws. */
  send(request: HttpRequest, handler: AnswerHandler): void
  readonly stats: { connections: number; running: number; waiting: number }
  /** The sockets in use: with a request under way, or given away behind a 101 and not closed yet. */
  inUse(): Iterable<Duplex>
  /** Takes no further request; what is under way may end. */
  close(): void
  /** Ends all connections now; requests under way or waiting fail with `error`. */
  destroy(error: Error): void
}

export { ConnectFailedError, ConnectionLostError, IdleTimeoutError, UnsendableRequestError } from './errors.js'
export { createHttpClient } from './client.js'
export { ask } from './ask.js'
