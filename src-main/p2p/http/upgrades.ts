import {
  ServerResponse,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** RFC 6455 §4.1: a client says nothing before the handshake is answered. One that says more than this is cut off. */
const MAX_EARLY_BYTES = 16 * 1024

/** How long a client may take to read why its handshake was refused. */
const LAST_WORDS_MS = 2_000

/**
 * True for a request that asks for a WebSocket. Any other `Upgrade` (`h2c` above all, which some clients send with every
 * request) is ignored, as RFC 9110 §7.8 allows, and the request answered as it is.
 */
export function isWebSocketHandshake(request: IncomingMessage): boolean {
  const { upgrade, 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers
  if (request.method !== 'GET' || request.httpVersion !== '1.1' || length !== '0' || encoding !== undefined)
    return false
  return upgrade?.toLowerCase() === 'websocket'
}

/** The answer to a WebSocket handshake: a refusal like any response, or the connection itself. */
export class HandshakeResponse extends ServerResponse {
  readonly #client: Socket
  #early: Buffer[]
  #earlyBytes: number

  /** @throws Error when another response is still on its way over the connection (pipelining) */
  constructor(request: IncomingMessage, head: Buffer) {
    super(request)
    const { socket } = request
    this.#client = socket
    this.#early = [head]
    this.#earlyBytes = head.length
    this.shouldKeepAlive = false
    this.assignSocket(socket)
    // Only who reads learns that the client left.
    socket.on('data', this.#onEarly).on('end', this.#onEnd)
    this.once('finish', () => closeSoon(socket))
  }

  readonly #onEarly = (chunk: Buffer): void => {
    this.#earlyBytes += chunk.length
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.#client.destroy()
    else this.#early.push(chunk)
  }

  readonly #onEnd = (): void => {
    this.#client.destroy()
  }

  /** Sends the head of a 101 and gives the connection away, with what the client has sent already. */
  switchProtocols(headers: OutgoingHttpHeaders): Duplex {
    const socket = this.#client
    this.writeHead(101, { ...headers, connection: 'Upgrade', upgrade: 'websocket' })
    this.flushHeaders()
    this.detachSocket(socket)
    socket.pause()
    socket.off('data', this.#onEarly).off('end', this.#onEnd)
    const early = Buffer.concat(this.#early)
    this.#early = []
    if (early.length > 0) socket.unshift(early)
    return socket
  }
}

/** The connections that a server has given to WebSockets or is about to. */
export interface Upgrades {
  /** Cuts them all. */
  destroyAll(): void
}

/** Hands WebSocket handshakes to the listener of all other requests, with a {@link HandshakeResponse}. */
export function acceptUpgrades(server: Server, listener: RequestListener): Upgrades {
  const open = new Set<Socket>()
  server.on('upgrade', (request, _socket, head: Buffer) => {
    const { socket } = request
    // Whoever has the connection listens for errors too; without any listener one would end the program.
    socket.on('error', () => socket.destroy())
    let response: HandshakeResponse
    try {
      response = new HandshakeResponse(request, head)
    } catch {
      socket.destroy()
      return
    }
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    listener(request, response)
  })
  return {
    destroyAll() {
      for (const socket of open) socket.destroy()
    },
  }
}

function closeSoon(socket: Socket): void {
  socket.end()
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref()
  socket.once('close', () => clearTimeout(timer))
}
