import type { Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** The responses an HTTP server is at work on, so that it can be stopped without cutting them. */
export interface RunningResponses {
  /** The response on its way over that connection, if any. */
  on(socket: Duplex): ServerResponse | undefined
  /** How many requests of that connection are not answered yet: more than one where they are pipelined. */
  count(socket: Duplex): number
  /** Closes what is idle, lets the rest finish; resolves when nothing runs any more, at the latest after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

/** Where a connection remembers its response: a map of all would have to be made anew again and again. */
const RESPONSE = Symbol('the response on its way')
const COUNT = Symbol('responses on their way')

type Answering = Duplex & { [RESPONSE]?: ServerResponse | undefined; [COUNT]?: number }

/** Follows a server from its first request on. */
export function followResponses(server: Server): RunningResponses {
  let running = 0
  let draining: Promise<void> | undefined
  let onLast = (): void => undefined

  server.on('request', ({ socket }: { socket: Answering }, response) => {
    running += 1
    socket[RESPONSE] = response
    socket[COUNT] = (socket[COUNT] ?? 0) + 1
    if (draining !== undefined) response.shouldKeepAlive = false
    response.once('close', () => {
      running -= 1
      socket[COUNT] = (socket[COUNT] ?? 1) - 1
      if (socket[RESPONSE] === response) socket[RESPONSE] = undefined
      if (draining === undefined) return
      server.closeIdleConnections()
      if (running === 0) onLast()
    })
  })

  return {
    on: (socket: Answering) => socket[RESPONSE],
    count: (socket: Answering) => socket[COUNT] ?? 0,
    drain(graceMs) {
      draining ??= new Promise<void>((resolve) => {
        server.closeIdleConnections()
        if (running === 0) {
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
