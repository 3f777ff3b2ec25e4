import type { Duplex } from 'node:stream'
import { NOT_A_MEMBER, type SwapRemoveMember, SwapRemoveSet } from '../base/memory/swap-remove-set.js'
import { asError, ConnectFailedError, ConnectionLostError } from './errors.js'
import { Exchange, type Outgoing } from './exchange.js'
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
  /** Called with each connection on which a request is sent now. Must not throw. */
  onSend?(socket: Duplex): void
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

class PooledClient implements HttpClient {
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
    if (connection !== undefined) this.#sendOn(connection, outgoing)
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

  /** It can take the next request. */
  onFree(connection: HttpConnection): void {
    const next = this.#waiting.shift()
    if (next !== undefined) this.#sendOn(connection, next)
    else if (this.#ended !== undefined) connection.destroy()
    else this.#keep(connection)
  }

  /** The socket is of another protocol from now on; {@link onClosed} follows. */
  onGivenAway(socket: Duplex): void {
    this.#givenAway.add(socket)
    socket.once('close', () => this.#givenAway.delete(socket))
  }

  /** It takes none any more: closed, or given away. */
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

  #sendOn(connection: HttpConnection, outgoing: Outgoing): void {
    this.#options.onSend?.(connection.socket)
    connection.send(outgoing)
  }

  #connectFor(outgoing: Outgoing): void {
    this.#connecting.add(outgoing)
    this.#options.connect().then(
      (socket) => {
        const connection = new HttpConnection(socket, this)
        if (!this.#connecting.delete(outgoing)) connection.destroy()
        else if (connection.isUsable) {
          this.#open.add(connection)
          this.#sendOn(connection, outgoing)
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

/** One connection, with one request at a time. */
class HttpConnection implements SwapRemoveMember {
  /** In its client's set. */
  setIndex = NOT_A_MEMBER
  /** When it became free, ms of `performance.now()`. */
  freeSince = 0
  /** How long the other side keeps it when it is free, where it says so. */
  keepAliveMs: number | undefined
  readonly socket: Duplex
  readonly #client: PooledClient
  #current: Exchange | undefined
  #hasServed = false
  #isGone = false

  constructor(socket: Duplex, client: PooledClient) {
    this.socket = socket
    this.#client = client
    socket.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose)
  }

  get isUsable(): boolean {
    const socket = this.socket
    // Unread bytes would be an answer that was never asked for.
    return !this.#isGone && socket.readable && socket.writable && socket.readableLength === 0
  }

  get isBusy(): boolean {
    return this.#current !== undefined
  }

  /** Only while it is usable and not busy. Never throws. */
  send(outgoing: Outgoing): void {
    const exchange = new Exchange(this, this.socket, outgoing, this.#hasServed)
    this.#current = exchange
    exchange.start()
  }

  /** Ends it; a request under way fails with `error`. */
  destroy(error: Error = new ConnectionLostError(false)): void {
    const exchange = this.#current
    if (exchange === undefined) this.socket.destroy()
    else exchange.abort(error)
  }

  /** The exchange is over; with `keep` the next one may come. */
  release(exchange: Exchange, keep: boolean): void {
    if (this.#current !== exchange) return
    this.#current = undefined
    if (!keep || !this.isUsable) {
      this.socket.destroy()
      return
    }
    this.#hasServed = true
    this.freeSince = performance.now()
    this.#client.onFree(this)
  }

  /** The socket belongs to the caller from now on. */
  giveAway(exchange: Exchange): Duplex {
    const socket = this.socket
    if (this.#current === exchange) this.#current = undefined
    socket.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose)
    this.#client.onGivenAway(socket)
    this.#leave()
    return socket
  }

  #leave(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#client.onClosed(this)
  }

  readonly #onData = (chunk: Buffer): void => {
    // Nothing was asked for.
    if (this.#current === undefined) this.socket.destroy()
    else this.#current.onData(chunk)
  }

  readonly #onEnd = (): void => {
    this.#current?.onEnd()
    this.socket.destroy()
  }

  readonly #onError = (error: Error): void => {
    this.#current?.onLost(error)
  }

  readonly #onClose = (): void => {
    this.#current?.onLost(undefined)
    this.#leave()
  }
}
