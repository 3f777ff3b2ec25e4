// For @libp2p/websockets 10.1.21: it sends each piece of a frame as a message of its own, and its reset throws and
// leaves the socket open. Goes when it joins the pieces, and closes with a code that programs may use.

import type { MultiaddrConnection } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

/** What is used of @libp2p/websockets' connection (10.1.21). */
interface WebSocketConnection {
  websocket: { readonly bufferedAmount: number; send(data: Uint8Array): void }
  maxBufferedAmount: number
  checkBufferedAmountTask: { start(): void }
  sendData(data: Uint8ArrayList): { sentBytes: number; canSendMore: boolean }
  /** Counted here: a dialled WebSocket does not tell, and shows no socket. */
  writtenBytes?: number
}

/** The same as far as its end goes. `terminate` has the accepting end's socket, of the package `ws`. */
interface ResettableConnection {
  websocket: { close(): void; terminate?(): void }
  checkBufferedAmountTask: { stop(): void }
  sendReset(): void
  onRemoteReset(): void
}

/**
 * Sends all pieces of a frame as one WebSocket message. Stock, each piece (length, cipher text) is a message and a
 * system call of its own. The receiver does not care: libp2p reads the messages as one byte stream.
 * False, and nothing changed, when the connection's internals are not the known ones.
 */
export function batchWebSocketWrites(connection: MultiaddrConnection): boolean {
  if (!isWebSocketConnection(connection)) return false
  connection.writtenBytes = 0
  connection.sendData = (data) => {
    connection.websocket.send(data.subarray())
    connection.writtenBytes = (connection.writtenBytes ?? 0) + data.byteLength
    const canSendMore = connection.websocket.bufferedAmount < connection.maxBufferedAmount
    if (!canSendMore) connection.checkBufferedAmountTask.start()
    return { sentBytes: data.byteLength, canSendMore }
  }
  return true
}

/**
 * Closes the socket of a WebSocket connection that is aborted. Stock, it is closed with the code 1006, which no WebSocket
 * takes from a program: the call throws, libp2p forgets the connection, and both ends keep the socket for good.
 * False, and nothing changed, when the connection's internals are not the known ones.
 */
export function closeResetWebSocket(connection: MultiaddrConnection): boolean {
  if (!isResettable(connection)) return false
  const { websocket } = connection
  connection.sendReset = () => {
    connection.checkBufferedAmountTask.stop()
    // An aborted connection has reported its end; that of its socket is no second one.
    connection.onRemoteReset = () => undefined
    if (websocket.terminate === undefined) websocket.close()
    else websocket.terminate()
  }
  return true
}

function isWebSocketConnection(connection: object): connection is WebSocketConnection {
  return (
    'websocket' in connection &&
    hasFunction(connection.websocket, 'send') &&
    'maxBufferedAmount' in connection &&
    typeof connection.maxBufferedAmount === 'number' &&
    'checkBufferedAmountTask' in connection &&
    hasFunction(connection.checkBufferedAmountTask, 'start') &&
    hasFunction(connection, 'sendData')
  )
}

function isResettable(connection: object): connection is ResettableConnection {
  return (
    'websocket' in connection &&
    hasFunction(connection.websocket, 'close') &&
    'checkBufferedAmountTask' in connection &&
    hasFunction(connection.checkBufferedAmountTask, 'stop') &&
    hasFunction(connection, 'sendReset') &&
    hasFunction(connection, 'onRemoteReset')
  )
}

function hasFunction(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function'
}
