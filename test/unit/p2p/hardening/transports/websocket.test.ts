import type { MultiaddrConnection } from '@libp2p/interface'
import { expect, test, vi } from 'vitest'
import { closeResetWebSocket } from '../../../../../src-main/p2p/hardening/transports/websocket.js'

interface Resettable {
  sendReset(): void
  onRemoteReset(): void
}

const asConnection = (fields: object): MultiaddrConnection & Resettable => fields as MultiaddrConnection & Resettable

function connectionOver(websocket: object) {
  const stop = vi.fn()
  const onRemoteReset = vi.fn()
  const connection = asConnection({
    websocket,
    checkBufferedAmountTask: { stop },
    sendReset: () => undefined,
    onRemoteReset,
  })
  return { connection, stop, onRemoteReset }
}

test('an aborted WebSocket connection closes its socket without a code that no socket takes, and is reset once', () => {
  const close = vi.fn()
  const { connection, stop, onRemoteReset } = connectionOver({ close })
  expect(closeResetWebSocket(connection)).toBe(true)
  connection.sendReset()
  connection.onRemoteReset()
  expect(close.mock.calls).toEqual([[]])
  expect(stop).toHaveBeenCalledTimes(1)
  expect(onRemoteReset).not.toHaveBeenCalled()
})

test('a socket that can be ended at once does not wait for the other side', () => {
  const [close, terminate] = [vi.fn(), vi.fn()]
  const { connection } = connectionOver({ close, terminate })
  closeResetWebSocket(connection)
  connection.sendReset()
  expect(terminate).toHaveBeenCalledTimes(1)
  expect(close).not.toHaveBeenCalled()
})

test('a connection of another make is left alone', () => {
  const fields = { websocket: {}, sendReset: (): void => undefined }
  const before = { ...fields }
  expect(closeResetWebSocket(asConnection(fields))).toBe(false)
  expect(fields).toEqual(before)
})
