import type { MultiaddrConnection } from '@libp2p/interface'

/** What is used of @libp2p/websockets' connection (10.1.21). `terminate` has the accepting end's, of the package `ws`. */
interface WebSocketConnection {
  websocket: { close(): void; terminate?(): void }
  checkBufferedAmountTask: { stop(): void }
  sendReset(): void
  onRemoteReset(): void
}

/**
 * Closes the socket of a WebSocket connection that is aborted. Stock, it is closed with the code 1006, which no WebSocket
 * takes from a program: the call throws, libp2p forgets the connection, and both ends keep the socket for good.
 * False, and nothing changed, when the connection's internals are not the known ones.
 */
export function closeResetWebSocket(connection: MultiaddrConnection): boolean {
  if (!isWebSocketConnection(connection)) return false
  const { websocket } = connection
  connection.sendReset = () => {
    connection.checkBufferedAmountTask.stop()
    // An aborted connection has told of its end; that of its socket is no second one.
    connection.onRemoteReset = () => undefined
    if (websocket.terminate === undefined) websocket.close()
    else websocket.terminate()
  }
  return true
}

function isWebSocketConnection(connection: object): connection is WebSocketConnection {
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
