import type { IncomingMessage } from 'node:http'
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isOutOfDescriptors } from '../../base/system-error.js'
import { atMostEvery, type Log } from '../../logging/index.js'

/** Connections are refused by the thousand; a line a minute says as much. */
const WARN_EVERY_MS = 60_000

/** Closed at once when a descriptor is missing elsewhere, so that not every single one takes a failure. */
const SHED = 8

/**
 * Logs that a connection could not be accepted, which would end the process otherwise; `onExhausted` is called when a
 * descriptor was missing for it. For a server that is to be started.
 */
export function surviveAcceptErrors(
  server: Server,
  needs: { log: Log; onExhausted?: () => void },
  options: { listener: string },
): void {
  let last: Error | undefined
  const warn = atMostEvery(WARN_EVERY_MS, (leftOut) =>
    needs.log.warn('a connection could not be accepted', { ...options, error: last, timesBefore: leftOut }),
  )
  const onError = (error: Error): void => {
    last = error
    warn()
    if (isOutOfDescriptors(error)) needs.onExhausted?.()
  }
  server.once('listening', () => server.on('error', onError))
}

/** What bounding the sockets of a server needs. */
interface AcceptedSocketsNeeds {
  log: Log
  /** Whether a request of that connection is at work. */
  isBusy: (socket: Duplex) => boolean
}

/**
 * Bounds the sockets that `server`, which is to be started, has accepted. With one more than `max`, the oldest that never
 * sent a byte is closed; where all have spoken, the oldest on which no request is at work; where all are at work, the
 * newcomer. So silent connections, however many there are, keep no request out. `name` is for the log.
 */
export function boundAcceptedSockets(
  server: Server,
  needs: AcceptedSocketsNeeds,
  options: { max: number; name: string },
): { readonly size: number } {
  return new AcceptedSockets(server, needs, options)
}

class AcceptedSockets {
  readonly #needs: AcceptedSocketsNeeds
  readonly #max: number
  /** Those that had sent nothing when they were last looked at, oldest first. */
  readonly #silent = new Set<Socket>()
  readonly #spoken = new Set<Socket>()
  /** Given to another protocol. */
  readonly #upgraded = new WeakSet<Duplex>()
  readonly #warnFull: () => void

  constructor(server: Server, needs: AcceptedSocketsNeeds, options: { max: number; name: string }) {
    this.#needs = needs
    this.#max = options.max
    this.#warnFull = atMostEvery(WARN_EVERY_MS, (leftOut) =>
      needs.log.warn('a listener has as many connections as it may: silent and idle ones are closed for new ones', {
        listener: options.name,
        max: options.max,
        timesBefore: leftOut,
      }),
    )
    server.on('connection', this.#accept)
    server.on('upgrade', ({ socket }: IncomingMessage) => void this.#upgraded.add(socket))
    surviveAcceptErrors(server, { log: needs.log, onExhausted: () => this.#shed() }, { listener: options.name })
  }

  /** How many there are. */
  get size(): number {
    return this.#silent.size + this.#spoken.size
  }

  readonly #accept = (socket: Socket): void => {
    this.#silent.add(socket)
    socket.once('close', () => this.#forget(socket))
    if (this.size <= this.#max) return
    this.#warnFull()
    this.#close(this.#oldestSilent(socket) ?? this.#oldestIdle() ?? socket)
  }

  #shed(): void {
    for (let count = 0; count < SHED; count += 1) {
      const socket = this.#oldestSilent() ?? this.#oldestIdle()
      if (socket === undefined) return
      this.#close(socket)
    }
  }

  #oldestSilent(newcomer?: Socket): Socket | undefined {
    for (const socket of this.#silent) {
      if (socket === newcomer) return undefined
      if (socket.bytesRead === 0) return socket
      this.#silent.delete(socket)
      this.#spoken.add(socket)
    }
    return undefined
  }

  #oldestIdle(): Socket | undefined {
    for (const socket of this.#spoken) {
      // A handshake that was refused is only waiting for the client to leave.
      const isTakenOver = this.#upgraded.has(socket) && !socket.writableEnded
      if (!isTakenOver && !this.#needs.isBusy(socket)) return socket
    }
    return undefined
  }

  #close(socket: Socket): void {
    this.#forget(socket)
    socket.destroy()
  }

  #forget(socket: Socket): void {
    this.#silent.delete(socket)
    this.#spoken.delete(socket)
  }
}
