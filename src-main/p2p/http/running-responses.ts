import type { Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** The responses an HTTP server is at work on, so that it can be stopped without cutting them. */
export interface RunningResponses {
  /** The response on its way over that connection, if any. */
  on(socket: Duplex): ServerResponse | undefined
  /** Closes what is idle, lets the rest finish; resolves when nothing runs any more, at the latest after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

/** Follows a server from its first request on. */
export function followResponses(server: Server): RunningResponses {
  const running = new Map<Duplex, ServerResponse>()
  let draining: Promise<void> | undefined
  let onLast = (): void => undefined

  server.on('request', ({ socket }, response) => {
    running.set(socket, response)
    if (draining !== undefined) response.shouldKeepAlive = false
    response.once('close', () => {
      if (running.get(socket) === response) running.delete(socket)
      if (draining === undefined) return
      server.closeIdleConnections()
      if (running.size === 0) onLast()
    })
  })

  return {
    on: (socket) => running.get(socket),
    drain(graceMs) {
      draining ??= new Promise<void>((resolve) => {
        server.closeIdleConnections()
        if (running.size === 0) {
          resolve()
          return
        }
        const timer = setTimeout(resolve, graceMs)
        onLast = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      return draining
    },
  }
}
