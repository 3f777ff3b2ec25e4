import { afterEach, expect, test } from 'vitest'
import { ask, type ShortAnswer } from '../../../src-main/http-client/ask.js'
import { ConnectFailedError, createHttpClient } from '../../../src-main/http-client/index.js'
import { clientOf, fakeClient, FakeSocket, turn } from '../../fixtures/http-client.js'
import { startTestServer, type TestServer } from '../../fixtures/http-server.js'

let server: TestServer | undefined
afterEach(() => server?.close())

const WHAT = { host: 'x', path: '/v1/health', maxBytes: 10 }
const never = new AbortController().signal

async function askedOf(body: string): Promise<{ answer: ShortAnswer; open: number }> {
  server = await startTestServer((request, response) =>
    response.writeHead(203).end(request.url === '/v1/health' ? body : 'no'),
  )
  const { client } = clientOf(server.port)
  const answer = await ask(client, { ...WHAT, signal: never })
  // A socket that is destroyed takes a moment to say so.
  for (let turns = 0; turns < 10; turns += 1) await turn()
  const open = client.stats.connections
  client.destroy(new Error('over'))
  return { answer, open }
}

test('a short answer is read whole, and its connection is kept', async () => {
  expect(await askedOf('all well')).toEqual({ answer: { status: 203, text: 'all well' }, open: 1 })
  expect(await askedOf('')).toEqual({ answer: { status: 203, text: '' }, open: 1 })
})

test('a long answer is cut off, and so is its connection', async () => {
  expect(await askedOf('0123456789')).toEqual({ answer: { status: 203, text: '0123456789' }, open: 0 })
  expect(await askedOf('x'.repeat(1_000_000))).toEqual({ answer: { status: 203, text: 'xxxxxxxxxx' }, open: 0 })
})

test('a signal that has aborted asks nobody', async () => {
  const { client, sockets } = fakeClient()
  await expect(ask(client, { ...WHAT, signal: AbortSignal.abort('late') })).rejects.toMatchObject({ cause: 'late' })
  expect(sockets.length).toBe(0)
})

test('a signal that aborts while the answer is awaited ends it and its connection', async () => {
  const { client, sockets } = fakeClient()
  const late = new AbortController()
  const asked = ask(client, { ...WHAT, signal: late.signal })
  await turn()
  sockets[0]!.gives('HTTP/1.1 200 OK\r\n\r\nhal')
  late.abort('late')
  await expect(asked).rejects.toMatchObject({ message: 'no answer in time', cause: 'late' })
  expect(sockets[0]!.destroyed).toBe(true)
})

test('a signal that aborts while a connection is made ends it, and nothing is sent when that is there', async () => {
  const made = Promise.withResolvers<FakeSocket>()
  const client = createHttpClient({ connect: () => made.promise, maxConnections: 1, keepAliveMs: 1_000 })
  const late = new AbortController()
  const asked = ask(client, { ...WHAT, signal: late.signal })
  late.abort('late')
  await expect(asked).rejects.toMatchObject({ cause: 'late' })
  const socket = new FakeSocket()
  made.resolve(socket)
  await turn()
  expect([socket.sent, socket.destroyed]).toEqual(['', true])
})

test('what fails rejects with the client’s own error', async () => {
  const { client } = fakeClient()
  client.close()
  await expect(ask(client, { ...WHAT, signal: never })).rejects.toBeInstanceOf(ConnectFailedError)
})
