import { describe, expect, test } from 'vitest'
import { MalformedAnswerError } from '../../../src-main/http-client/errors.js'
import { fakeClient, send, turn } from '../../fixtures/http-client.js'

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nX: y\r\n\r\n'

describe('a switch of protocols', () => {
  test.each([
    ['in one piece', [`${SWITCH}behind`]],
    ['a byte at a time', `${SWITCH}behind`.split('')],
    ['behind a hint', [`HTTP/1.1 103 x\r\n\r\n${SWITCH}be`, 'hind']],
    ['apart', [SWITCH, 'behind']],
  ])('hands over the connection with all that came behind it, %s', async (_name, pieces) => {
    const { client, sockets } = fakeClient()
    const answer = send(client, { upgrade: 'websocket' })
    await turn()
    const socket = sockets[0]!
    expect(socket.sent).toBe('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
    socket.gives(...pieces)
    await turn()
    expect([answer.events, answer.headers['x'], answer.socket]).toEqual([['start', 'upgrade'], 'y', socket])
    let text = ''
    answer
      .socket!.on('data', (chunk: Buffer) => (text += chunk.toString()))
      .on('error', () => undefined)
      .resume()
    await turn()
    socket.gives('!')
    answer.socket!.write('hello')
    await turn()
    expect([text, socket.sent.endsWith('hello')]).toEqual(['behind!', true])
    expect(client.stats).toEqual({ connections: 0, running: 0, waiting: 0 })
    expect([...client.inUse()]).toEqual([socket])
    answer.exchange?.abort(new Error('late'))
    client.destroy(new Error('over'))
    expect([socket.destroyed, answer.finals]).toEqual([false, 1])
    expect(['data', 'error', 'end', 'drain'].map((name) => socket.listenerCount(name))).toEqual([1, 1, 0, 0])
    socket.destroy(new Error('later'))
    await turn()
    expect([answer.finals, [...client.inUse()]]).toEqual([1, []])
  })

  test('that nobody asked for is no answer', async () => {
    const { client, sockets } = fakeClient()
    const answer = send(client)
    await turn()
    sockets[0]!.gives(SWITCH)
    expect([answer.error, sockets[0]!.destroyed]).toEqual([expect.any(MalformedAnswerError), true])
  })

  test('gives the place of its connection to one that waits', async () => {
    const { client, sockets } = fakeClient({ maxConnections: 1 })
    const answer = send(client, { upgrade: 'websocket' })
    const waiting = send(client)
    await turn()
    sockets[0]!.gives(SWITCH)
    await turn()
    expect([answer.finals, sockets.length, waiting.events]).toEqual([1, 2, ['start']])
  })

  test('that is declined is an answer like any other', async () => {
    const { client, sockets } = fakeClient()
    const answer = send(client, { upgrade: 'websocket' })
    await turn()
    sockets[0]!.gives('HTTP/1.1 426 x\r\nContent-Length: 2\r\n\r\nno')
    expect([answer.status, answer.text, answer.finals]).toEqual([426, 'no', 1])
    expect(client.stats.connections).toBe(1)
  })
})
