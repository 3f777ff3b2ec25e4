import { once } from 'node:events'
import { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { AbortOptions, MessageStream, MultiaddrConnection } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

/** A TCP connection of @libp2p/tcp (11.0.28), as far as TLS takes its socket over. */
interface SocketConnection extends MultiaddrConnection {
  socket: Socket
  readBuffer: Uint8ArrayList
  sendClose(options?: AbortOptions): Promise<void>
}

/** Whether TLS can lie on the socket itself: a connection of TCP, with nothing between it and its socket. */
export function hasRawSocket(stream: MessageStream): stream is SocketConnection {
  return (
    Reflect.get(stream, 'socket') instanceof Socket &&
    typeof Reflect.get(stream, 'sendClose') === 'function' &&
    typeof (Reflect.get(stream, 'readBuffer') as { subarray?: unknown } | undefined)?.subarray === 'function'
  )
}

/** Takes the socket from its connection, with what was read of the handshake already. */
export function takeOver(connection: SocketConnection): Socket {
  const { socket, readBuffer } = connection
  socket.removeAllListeners('data')
  socket.pause()
  // The last word of the negotiation must be on its way before TLS writes below the stream.
  while (socket.writableCorked > 0) socket.uncork()
  if (readBuffer.byteLength > 0) {
    socket.unshift(readBuffer.slice())
    readBuffer.consume(readBuffer.byteLength)
  }
  return socket
}

/** Has the connection close with what lies on it: the raw socket knows nothing of what TLS still has to write. */
export function closeSecured(connection: SocketConnection, secured: TLSSocket): void {
  connection.sendClose = async (options) => {
    const { socket } = connection
    if (socket.destroyed) return
    secured.destroySoon()
    try {
      await once(socket, 'close', { signal: options?.signal })
    } finally {
      socket.destroy()
    }
  }
}
