import type { Duplex } from 'node:stream'
import { SwapRemoveSet } from '../base/swap-remove-set.js'
import { type ConnectionOwner, HttpConnection } from './connection.js'
import { asError, ConnectFailedError } from './errors.js'
import type { Outgoing } from './exchange.js'
import { requestHead } from './request-writer.js'
import type { AnswerHandler, HttpClient, HttpRequest } from './index.js'

export interface HttpClientOptions {
  /** Makes a connection; rejects where that takes too long. */
  connect(): Promise<Duplex>
  /** What is beyond waits for one of them to be free. */
  maxConnections: number
  /** How long an idle connection is kept, ms; less where the other side says so. */
  keepAliveMs: number
  /** False for an idle connection that shall take no further request, though it could: there is a better way now. */
  mayReuse?(socket: Duplex): boolean
}

/** Requests that wait for a connection; those beyond fail. */
const MAX_WAITING = 10_000

/** An idle connection goes that much before the other side gives it up, so that no request meets its end, ms. */
const BEFORE_OTHER_SIDE_MS = 1_000

const SWEEP_EVERY_MS = 500

/**
 * A client of HTTP/1.1 for forwarding: a request at a time on each connection, the most recently used one first. It hands
 * bytes on as they come and copies no body, and believes nothing that two readers could understand in different ways.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  return new PooledClient(options)
}

class PooledClient implements HttpClient, ConnectionOwner {
  readonly #options: HttpClientOptions
  readonly #open = new SwapRemoveSet<HttpConnection>()
  readonly #givenAway = new Set<Duplex>()
  /** The one that was used last is at the end. */
  #idle: HttpConnection[] = []
  readonly #waiting: Outgoing[] = []
  /** Those a connection is being made for. */
  readonly #connecting = new Set<Outgoing>()
  /** Why it takes no further request, once that is so. */
  #ended: Error | undefined
  #sweep: NodeJS.Timeout | undefined

  constructor(options: HttpClientOptions) {
    this.#options = options
  }

  get stats(): { connections: number; running: number; waiting: number } {
    const connections = this.#open.size
    const waiting = this.#waiting.length + this.#connecting.size
    return { connections, running: connections - this.#idle.length, waiting }
  }

  send(request: HttpRequest, handler: AnswerHandler): void {
    if (this.#ended !== undefined) {
      handler.onError(this.#ended)
      return
    }
    const outgoing = { head: '', request, handler }
    try {
      outgoing.head = requestHead(request)
    } catch (error) {
      handler.onError(asError(error))
      return
    }
    const connection = this.#idleConnection()
    if (connection !== undefined) connection.send(outgoing)
    else if (this.#open.size + this.#connecting.size < this.#options.maxConnections) this.#connectFor(outgoing)
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(outgoing)
    else handler.onError(new ConnectFailedError(new Error('too many requests wait for a connection')))
  }

  *inUse(): Iterable<Duplex> {
    for (const connection of this.#open) if (connection.isBusy) yield connection.socket
    yield* this.#givenAway
  }

  close(): void {
    this.#end(new ConnectFailedError(new Error('its client was closed')))
  }

  destroy(error: Error): void {
    this.#end(error)
    const without = [...this.#connecting, ...this.#waiting.splice(0)]
    this.#connecting.clear()
    for (const connection of this.#open) connection.destroy(error)
    for (const { handler } of without) handler.onError(error)
  }

  onFree(connection: HttpConnection): void {
    const next = this.#waiting.shift()
    if (next !== undefined) connection.send(next)
    else if (this.#ended !== undefined) connection.destroy()
    else this.#keep(connection)
  }

  onGivenAway(socket: Duplex): void {
    this.#givenAway.add(socket)
    socket.once('close', () => this.#givenAway.delete(socket))
  }

  onClosed(connection: HttpConnection): void {
    if (!this.#open.delete(connection)) return
    const at = this.#idle.lastIndexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
    // There is room for a request that waits.
    const next = this.#waiting.shift()
    if (next !== undefined) this.#connectFor(next)
  }

  #keep(connection: HttpConnection): void {
    if (this.#keepMs(connection) <= 0) {
      connection.destroy()
      return
    }
    this.#idle.push(connection)
    this.#sweep ??= setInterval(() => this.#closeOld(), SWEEP_EVERY_MS).unref()
  }

  #keepMs({ keepAliveMs }: HttpConnection): number {
    if (keepAliveMs === undefined) return this.#options.keepAliveMs
    return Math.min(this.#options.keepAliveMs, keepAliveMs - BEFORE_OTHER_SIDE_MS)
  }

  #closeOld(): void {
    const now = performance.now()
    const all = this.#idle
    this.#idle = all.filter(
      (connection) => now - connection.freeSince < this.#keepMs(connection) && this.#mayReuse(connection),
    )
    if (this.#idle.length < all.length) {
      const kept = new Set(this.#idle)
      for (const connection of all) if (!kept.has(connection)) connection.destroy()
    }
    if (this.#idle.length > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  #mayReuse(connection: HttpConnection): boolean {
    return connection.isUsable && this.#options.mayReuse?.(connection.socket) !== false
  }

  #idleConnection(): HttpConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop()
      if (connection === undefined || this.#mayReuse(connection)) return connection
      connection.destroy()
    }
  }

  #connectFor(outgoing: Outgoing): void {
    this.#connecting.add(outgoing)
    this.#options.connect().then(
      (socket) => {
        const connection = new HttpConnection(socket, this)
        if (!this.#connecting.delete(outgoing)) connection.destroy()
        else if (connection.isUsable) {
          this.#open.add(connection)
          connection.send(outgoing)
        } else {
          connection.destroy()
          this.#failed(outgoing, new Error('its connection ended at once'))
        }
      },
      (error: unknown) => {
        if (this.#connecting.delete(outgoing)) this.#failed(outgoing, error)
      },
    )
  }

  #failed({ handler }: Outgoing, error: unknown): void {
    handler.onError(error instanceof ConnectFailedError ? error : new ConnectFailedError(error))
    const next = this.#waiting.shift()
    if (next !== undefined) this.#connectFor(next)
  }

  #end(error: Error): void {
    this.#ended ??= error
    for (const connection of this.#idle.splice(0)) connection.destroy()
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }
}
