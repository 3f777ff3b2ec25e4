import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { MultiaddrConnection } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { afterEach, expect, test, vi } from 'vitest'
import { batchWebSocketWrites } from '../../../../../src-main/p2p/hardening/transports/websocket.js'
import { batchTcpWrites } from '../../../../../src-main/p2p/hardening/transports/write-batching.js'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as { port: number }).port, '127.0.0.1')
  const [peer] = (await once(server, 'connection')) as [Socket]
  ends.push(() => {
    client.destroy()
    peer.destroy()
    server.close()
  })
  return [client, peer]
}

const list = (...texts: string[]): Uint8ArrayList => new Uint8ArrayList(...texts.map((text) => Buffer.from(text)))
const asConnection = (fields: object): MultiaddrConnection & { sendData: (data: Uint8ArrayList) => unknown } =>
  fields as MultiaddrConnection & { sendData: (data: Uint8ArrayList) => unknown }

test('all frames of one turn leave a TCP socket in order, as one write', async () => {
  const [socket, peer] = await socketPair()
  const connection = asConnection({ socket, sendData: () => undefined })
  const writev = vi.spyOn(socket, '_writev' as never)
  const write = vi.spyOn(socket, '_write')
  expect(batchTcpWrites(connection)).toBe(true)
  expect(connection.sendData(list('a', 'b'))).toEqual({ sentBytes: 2, canSendMore: true })
  connection.sendData(list('c'))
  const [received] = (await once(peer, 'data')) as [Buffer]
  expect(received.toString()).toBe('abc')
  expect(writev).toHaveBeenCalledTimes(1)
  expect(write).not.toHaveBeenCalled()
})

test('a full TCP socket says so, and nothing is lost', async () => {
  const [socket, peer] = await socketPair()
  const connection = asConnection({ socket, sendData: () => undefined })
  batchTcpWrites(connection)
  const block = new Uint8ArrayList(Buffer.alloc(socket.writableHighWaterMark + 1))
  expect(connection.sendData(block)).toEqual({ sentBytes: block.byteLength, canSendMore: false })
  let received = 0
  peer.on('data', (data: Buffer) => (received += data.length))
  await once(socket, 'drain')
  socket.end()
  await once(peer, 'end')
  expect(received).toBe(block.byteLength)
})

test('the pieces of a frame are one WebSocket message', () => {
  const send = vi.fn()
  const start = vi.fn()
  const websocket = { bufferedAmount: 0, send }
  const fields = { websocket, maxBufferedAmount: 10, checkBufferedAmountTask: { start }, sendData: () => undefined }
  const connection = asConnection(fields)
  expect(batchWebSocketWrites(connection)).toBe(true)
  expect(connection.sendData(list('ab', 'c'))).toEqual({ sentBytes: 3, canSendMore: true })
  expect(send.mock.calls.map(([data]) => Buffer.from(data as Uint8Array).toString())).toEqual(['abc'])
  websocket.bufferedAmount = 10
  expect(connection.sendData(list('d'))).toEqual({ sentBytes: 1, canSendMore: false })
  expect(start).toHaveBeenCalledTimes(1)
})

test.each([
  ['tcp', batchTcpWrites],
  ['ws', batchWebSocketWrites],
] as const)('a %s connection of another make is left alone', (_name, batch) => {
  const sendData = (): void => undefined
  const connection = asConnection({ socket: {}, websocket: {}, sendData })
  expect(batch(connection)).toBe(false)
  expect(connection.sendData).toBe(sendData)
})
