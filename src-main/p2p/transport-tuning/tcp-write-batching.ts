import { Socket } from 'node:net'
import type { MultiaddrConnection } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

/** What is used of @libp2p/tcp's connection (11.0.28). */
interface TcpConnection {
  socket: Socket
  sendData(data: Uint8ArrayList): { sentBytes: number; canSendMore: boolean }
}

/** What waits corked at most before it is written within the turn. */
const MAX_CORKED_BYTES = 64 * 1024

/**
 * Makes all writes of one event loop turn one system call: the socket is corked at the first write and uncorked once
 * the turn's other sockets were read, so that what many clients sent at a time leaves together. Stock, each piece of a
 * frame (length, cipher text) is its own `write` on a socket without Nagle; docs/performance.md has what it gives.
 * False, and nothing changed, when the connection's internals are not the known ones.
 */
export function batchTcpWrites(connection: MultiaddrConnection): boolean {
  if (!isTcpConnection(connection)) return false
  const { socket } = connection
  let corkedBytes = 0
  let corked = false
  const uncork = (): void => {
    corked = false
    corkedBytes = 0
    socket.uncork()
  }
  const flush = (): void => {
    if (corked) uncork()
  }
  connection.sendData = (data) => {
    if (!corked) {
      corked = true
      socket.cork()
      setImmediate(flush)
    }
    let sentBytes = 0
    let canSendMore = true
    for (const piece of data) {
      sentBytes += piece.byteLength
      canSendMore = socket.write(piece)
    }
    corkedBytes += sentBytes
    if (corkedBytes >= MAX_CORKED_BYTES) uncork()
    return { sentBytes, canSendMore }
  }
  return true
}

function isTcpConnection(connection: object): connection is TcpConnection {
  return (
    'socket' in connection &&
    connection.socket instanceof Socket &&
    'sendData' in connection &&
    typeof connection.sendData === 'function'
  )
}
