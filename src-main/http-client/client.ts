import type { Duplex } from 'node:stream'
import { Bag } from '../bag.js'
import { HttpConnection, type ConnectionOwner } from './connection.js'
import { ConnectFailedError } from './errors.js'
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

interface Waiting {
  request: HttpRequest
  handler: AnswerHandler
}

/**
 * A client of HTTP/1.1 for forwarding: a request at a time on each connection, the most recently used one first. It hands
 * bytes on as they come and copies no body, and believes nothing that two readers could understand in different ways.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const open = new Bag<HttpConnection>()
  const givenAway = new Set<Duplex>()
  /** The one that was used last is at the end. */
  let idle: HttpConnection[] = []
  const waiting: Waiting[] = []
  let connecting = 0
  /** Why it takes no further request, once that is so. */
  let ended: Error | undefined
  let isDestroyed = false
  let sweep: NodeJS.Timeout | undefined

  const owner: ConnectionOwner = {
    onFree(connection) {
      const next = waiting.shift()
      if (next !== undefined) connection.send(next.request, next.handler)
      else if (ended !== undefined) connection.destroy()
      else keep(connection)
    },
    onGivenAway(socket) {
      givenAway.add(socket)
      socket.once('close', () => givenAway.delete(socket))
    },
    onClosed(connection) {
      open.delete(connection)
      const at = idle.lastIndexOf(connection)
      if (at !== -1) idle.splice(at, 1)
      // Its place is free for somebody who waits.
      const next = waiting.shift()
      if (next !== undefined) connectFor(next)
    },
  }

  function keep(connection: HttpConnection): void {
    if (keepMs(connection) <= 0) {
      connection.destroy()
      return
    }
    idle.push(connection)
    sweep ??= setInterval(closeOld, SWEEP_EVERY_MS).unref()
  }

  function keepMs({ keepAliveMs }: HttpConnection): number {
    if (keepAliveMs === undefined) return options.keepAliveMs
    return Math.min(options.keepAliveMs, keepAliveMs - BEFORE_OTHER_SIDE_MS)
  }

  function closeOld(): void {
    const now = performance.now()
    const all = idle
    idle = all.filter((connection) => now - connection.freeSince < keepMs(connection) && mayReuse(connection))
    if (idle.length < all.length) {
      const kept = new Set(idle)
      for (const connection of all) if (!kept.has(connection)) connection.destroy()
    }
    if (idle.length > 0) return
    clearInterval(sweep)
    sweep = undefined
  }

  function mayReuse(connection: HttpConnection): boolean {
    return connection.isUsable && options.mayReuse?.(connection.socket) !== false
  }

  function idleConnection(): HttpConnection | undefined {
    for (;;) {
      const connection = idle.pop()
      if (connection === undefined || mayReuse(connection)) return connection
      connection.destroy()
    }
  }

  function connectFor({ request, handler }: Waiting): void {
    connecting += 1
    options.connect().then(
      (socket) => {
        connecting -= 1
        const connection = new HttpConnection(socket, owner)
        open.add(connection)
        if (ended !== undefined && isDestroyed) {
          connection.destroy()
          handler.onError(ended)
        } else connection.send(request, handler)
      },
      (error: unknown) => {
        connecting -= 1
        handler.onError(error instanceof ConnectFailedError ? error : new ConnectFailedError(error))
        const next = waiting.shift()
        if (next !== undefined) connectFor(next)
      },
    )
  }

  function end(error: Error): void {
    ended ??= error
    for (const connection of idle.splice(0)) connection.destroy()
    clearInterval(sweep)
    sweep = undefined
  }

  return {
    get stats() {
      const connections = open.size
      return { connections, running: connections - idle.length, waiting: waiting.length + connecting }
    },
    send(request, handler) {
      if (ended !== undefined) {
        handler.onError(ended)
        return
      }
      const connection = idleConnection()
      if (connection !== undefined) connection.send(request, handler)
      else if (open.size + connecting < options.maxConnections) connectFor({ request, handler })
      else if (waiting.length < MAX_WAITING) waiting.push({ request, handler })
      else handler.onError(new ConnectFailedError(new Error('too many requests wait for a connection')))
    },
    *inUse() {
      for (const connection of open) if (connection.isBusy) yield connection.socket
      yield* givenAway
    },
    close() {
      end(new ConnectFailedError(new Error('its client was closed')))
    },
    destroy(error) {
      isDestroyed = true
      end(error)
      for (const connection of open) connection.destroy(error)
      for (const { handler } of waiting.splice(0)) handler.onError(error)
    },
  }
}
