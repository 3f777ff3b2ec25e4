import type { Duplex } from 'node:stream'
import { Bag } from '../base/bag.js'
import { HttpConnection, type ConnectionOwner } from './connection.js'
import { ConnectFailedError, asError } from './errors.js'
import type { Outgoing } from './exchange.js'
import type { HttpClient } from './index.js'
import { requestHead } from './request-head.js'

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
  const open = new Bag<HttpConnection>()
  const givenAway = new Set<Duplex>()
  /** The one that was used last is at the end. */
  let idle: HttpConnection[] = []
  const waiting: Outgoing[] = []
  /** Those a connection is being made for. */
  const connecting = new Set<Outgoing>()
  /** Why it takes no further request, once that is so. */
  let ended: Error | undefined
  let sweep: NodeJS.Timeout | undefined

  const owner: ConnectionOwner = {
    onFree(connection) {
      const next = waiting.shift()
      if (next !== undefined) connection.send(next)
      else if (ended !== undefined) connection.destroy()
      else keep(connection)
    },
    onGivenAway(socket) {
      givenAway.add(socket)
      socket.once('close', () => givenAway.delete(socket))
    },
    onClosed(connection) {
      if (!open.delete(connection)) return
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

  function connectFor(outgoing: Outgoing): void {
    connecting.add(outgoing)
    options.connect().then(
      (socket) => {
        const connection = new HttpConnection(socket, owner)
        if (!connecting.delete(outgoing)) connection.destroy()
        else if (connection.isUsable) {
          open.add(connection)
          connection.send(outgoing)
        } else {
          connection.destroy()
          failed(outgoing, new Error('its connection ended at once'))
        }
      },
      (error: unknown) => {
        if (connecting.delete(outgoing)) failed(outgoing, error)
      },
    )
  }

  function failed({ handler }: Outgoing, error: unknown): void {
    handler.onError(error instanceof ConnectFailedError ? error : new ConnectFailedError(error))
    const next = waiting.shift()
    if (next !== undefined) connectFor(next)
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
      return { connections, running: connections - idle.length, waiting: waiting.length + connecting.size }
    },
    send(request, handler) {
      if (ended !== undefined) {
        handler.onError(ended)
        return
      }
      const outgoing = { head: '', request, handler }
      try {
        outgoing.head = requestHead(request)
      } catch (error) {
        handler.onError(asError(error))
        return
      }
      const connection = idleConnection()
      if (connection !== undefined) connection.send(outgoing)
      else if (open.size + connecting.size < options.maxConnections) connectFor(outgoing)
      else if (waiting.length < MAX_WAITING) waiting.push(outgoing)
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
      end(error)
      const without = [...connecting, ...waiting.splice(0)]
      connecting.clear()
      for (const connection of open) connection.destroy(error)
      for (const { handler } of without) handler.onError(error)
    },
  }
}
