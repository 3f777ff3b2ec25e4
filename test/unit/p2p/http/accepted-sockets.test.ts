import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { boundAcceptedSockets, followResponses } from '../../../../src-main/p2p/index.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

async function bounded(max: number, onRequest: (response: ServerResponse) => void) {
  const server: Server = createServer((_request, response) => onRequest(response))
  const responses = followResponses(server)
  const log = createRecordingLog()
  const accepted = boundAcceptedSockets(
    server,
    { log, isBusy: (socket) => responses.on(socket) !== undefined },
    { max, name: 'test' },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  cleanups.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const open = async (text = ''): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    cleanups.push(() => socket.destroy())
    await Promise.all([once(server, 'connection'), once(socket, 'connect')])
    if (text !== '') socket.write(text)
    return socket
  }
  return { server, log, accepted, open }
}

const firstByte = (socket: Socket): Promise<unknown[]> => once(socket, 'data')

test('one connection too many closes the oldest that never sent a byte, and the newcomer is answered', async () => {
  const { open, accepted, log } = await bounded(3, (response) => response.end('yes'))
  const spoken = await open(GET)
  await firstByte(spoken)
  const oldest = await open()
  const younger = await open()
  const newcomer = await open(GET)
  await Promise.all([once(oldest, 'close'), firstByte(newcomer)])
  expect([spoken.closed, younger.closed]).toEqual([false, false])
  expect(accepted.size).toBe(3)
  expect(log.lines.map(({ level }) => level)).toEqual(['warn'])
})

test('where all have spoken an idle connection is closed for a newcomer, and none at work', async () => {
  const running: ServerResponse[] = []
  const { open, accepted } = await bounded(2, (response) => {
    response.write('begun')
    running.push(response)
  })
  const atWork = await open(GET)
  await firstByte(atWork)
  const idle = await open(GET)
  await firstByte(idle)
  running[1]?.end()
  await once(running[1]!, 'close')
  const newcomer = await open(GET)
  await Promise.all([once(idle, 'close'), firstByte(newcomer)])
  expect(atWork.closed).toBe(false)
  expect(accepted.size).toBe(2)
})

test('where all connections are at work the newcomer is closed', async () => {
  const { open, accepted } = await bounded(1, (response) => void response.write('begun'))
  const atWork = await open(GET)
  await firstByte(atWork)
  const newcomer = await open()
  await once(newcomer, 'close')
  expect(atWork.closed).toBe(false)
  expect(accepted.size).toBe(1)
})

test('a connection that was given to a WebSocket is not idle', async () => {
  const { server, open } = await bounded(1, () => undefined)
  server.on('upgrade', (_request, socket) => void socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
  const taken = await open('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  await firstByte(taken)
  const newcomer = await open()
  await once(newcomer, 'close')
  expect(taken.closed).toBe(false)
})

test('a connection the system could not accept is logged, and the silent ones make room', async () => {
  const { server, open, log } = await bounded(10, () => undefined)
  const silent = await open()
  server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  await once(silent, 'close')
  expect(log.lines.map(({ message }) => message)).toEqual(['a connection could not be accepted'])
})
