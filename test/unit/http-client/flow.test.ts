import type { Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { AnswerHandler } from '../../../src-main/http-client/index.js'
import { startBareServer, type BareServer } from '../../fixtures/bare-server.js'
import {
  Answer,
  clientOf,
  fakeClient,
  GET,
  send,
  turn,
  type FakeSocket,
  type Hooks,
} from '../../fixtures/http-client.js'
import { until } from '../../fixtures/until.js'

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const THREE = `${CHUNKED}1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n`

let server: BareServer | undefined
afterEach(() => server?.close())

/** A request that is under way over a fake socket. */
async function begun(
  hooks: (answer: () => Answer) => Hooks = () => ({}),
): Promise<{ answer: Answer; socket: FakeSocket }> {
  const { client, sockets } = fakeClient()
  const answer: Answer = new Answer(hooks(() => answer))
  client.send(GET, answer)
  await turn()
  return { answer, socket: sockets[0]! }
}

const pausing = (answer: () => Answer): Hooks => ({ onData: () => answer().exchange?.pause() })

describe('an answer in chunks of one byte', () => {
  const chunks = (text: string): string => text.replace(/./g, (letter) => `1\r\n${letter}\r\n`)

  test('an answer in ten thousand chunks of one byte that come together is handed out in few pieces, whole', async () => {
    const { answer, socket } = await begun()
    const text = 'abcdefghij'.repeat(1000)
    socket.gives(`${CHUNKED}${chunks(text)}0\r\n\r\n`)
    expect(await answer.ended).toMatchObject({ text, error: undefined, finals: 1 })
    expect(answer.events.filter((event) => event === 'data').length).toBeLessThan(20)
  })

  test('what came of many chunks before a malformed one is handed out before the error', async () => {
    const { answer, socket } = await begun()
    const text = 'abcdefghij'.repeat(10)
    socket.gives(`${CHUNKED}${chunks(text)}no size\r\n`)
    expect(await answer.ended).toMatchObject({ text, finals: 1 })
    expect(answer.error).toBeInstanceOf(Error)
  })
})

describe('a reader that pauses', () => {
  test('gets nothing until it goes on, and then all of it in order', async () => {
    const { answer, socket } = await begun(pausing)
    socket.gives(THREE)
    for (const text of ['a', 'ab', 'abc']) {
      await turn()
      expect([answer.text, answer.finals]).toEqual([text, 0])
      answer.exchange?.resume()
    }
    expect(answer.events).toEqual(['start', 'head', 'data', 'data', 'data', 'end'])
  })

  test('at the head gets no body until it goes on', async () => {
    const { answer, socket } = await begun((of) => ({ onHead: () => of().exchange?.pause() }))
    socket.gives(THREE)
    await turn()
    expect(answer.events).toEqual(['start', 'head'])
    answer.exchange?.resume()
    expect(answer.text).toBe('abc')
  })

  test('before the request is sent gets no head until it goes on', async () => {
    const { answer, socket } = await begun((of) => ({ onStart: () => of().exchange?.pause() }))
    socket.gives(THREE)
    await turn()
    expect(answer.events).toEqual(['start'])
    answer.exchange?.resume()
    await turn()
    expect(answer.text).toBe('abc')
  })

  test.each<[string, (socket: FakeSocket) => unknown]>([
    ['ends', (socket) => socket.ends()],
    ['is reset', (socket) => socket.destroy(new Error('reset'))],
    ['is gone', (socket) => socket.destroy()],
  ])('gets what had come, whole, when its connection %s', async (_name, end) => {
    const { answer, socket } = await begun(pausing)
    socket.gives(THREE)
    expect(answer.text).toBe('a')
    end(socket)
    expect(await answer.ended).toMatchObject({ text: 'abc', error: undefined, finals: 1 })
  })

  test('gets what had come of an answer that breaks off, and then the error', async () => {
    const { answer, socket } = await begun(pausing)
    socket.gives(THREE.slice(0, -5))
    socket.ends()
    expect(await answer.ended).toMatchObject({ text: 'abc', error: { name: 'ConnectionLostError' }, finals: 1 })
  })

  test('of a body that ends with its connection gets the end behind the body', async () => {
    const { answer, socket } = await begun(pausing)
    socket.gives('HTTP/1.1 200 OK\r\n\r\nab')
    socket.gives('c')
    socket.ends()
    await turn()
    expect([answer.text, answer.finals]).toEqual(['ab', 0])
    answer.exchange?.resume()
    expect(await answer.ended).toMatchObject({ text: 'abc', error: undefined, finals: 1 })
  })

  test('twice, or goes on without having paused, notices nothing of it', async () => {
    const { answer, socket } = await begun()
    answer.exchange?.resume()
    answer.exchange?.pause()
    answer.exchange?.pause()
    answer.exchange?.resume()
    answer.exchange?.resume()
    socket.gives(THREE)
    await turn()
    expect(answer.events).toEqual(['start', 'head', 'data', 'data', 'data', 'end'])
  })

  test('and goes on within the same piece gets each piece once', async () => {
    const { answer, socket } = await begun((of) => ({
      onData() {
        of().exchange?.pause()
        of().exchange?.resume()
        of().exchange?.pause()
        of().exchange?.resume()
      },
    }))
    socket.gives(THREE.slice(0, 60), THREE.slice(60))
    await turn()
    expect(await answer.ended).toMatchObject({ text: 'abc', finals: 1 })
  })

  test('holds the server back', { timeout: 30_000 }, async () => {
    const BYTES = 64 * 1024 * 1024
    let source: Socket | undefined
    server = await startBareServer((socket) => {
      source = socket
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BYTES}\r\n\r\n`)
      const piece = Buffer.alloc(64 * 1024, 'b')
      let left = BYTES
      const fill = (): void => {
        while (left > 0) {
          left -= piece.length
          if (!socket.write(piece)) return
        }
      }
      socket.on('drain', fill)
      fill()
    })
    const { client } = clientOf(server.port)
    const answer: Answer = new Answer({
      onData() {
        if (answer.bytes < 100_000 && answer.events.length < 10) answer.exchange?.pause()
      },
    })
    client.send(GET, answer)
    await until(() => answer.bytes > 0, { what: 'the answer begins' })
    let before = -1
    await until(
      () => {
        const now = source!.bytesWritten
        const stands = now === before
        before = now
        return stands
      },
      { what: 'the server stands still', everyMs: 200 },
    )
    expect(source!.writableLength).toBeGreaterThan(0)
    expect(source!.bytesWritten).toBeLessThan(BYTES / 2)
    const resume = setInterval(() => answer.exchange?.resume(), 5)
    await answer.ended
    clearInterval(resume)
    expect([answer.bytes, answer.error]).toEqual([BYTES, undefined])
    client.destroy(new Error('over'))
  })
})

describe('a handler', () => {
  const boom = new Error('boom')
  const throwing = (): never => {
    throw boom
  }

  test.each<keyof AnswerHandler>(['onStart', 'onHead', 'onData'])(
    'that throws in %s ends its exchange with that',
    async (name) => {
      const { client, sockets } = fakeClient()
      const answer = send(client, {}, { [name]: throwing })
      await turn()
      sockets[0]!.gives(THREE)
      sockets[0]!.ends()
      await turn()
      expect([answer.error, answer.finals, sockets[0]!.destroyed]).toEqual([boom, 1, true])
      expect(sockets[0]!.sent === '').toBe(name === 'onStart')
      expect(client.stats.connections).toBe(0)
    },
  )

  test('that throws at a switch of protocols hears of it, and nobody keeps the socket', async () => {
    const { client, sockets } = fakeClient()
    const answer = send(client, { upgrade: 'websocket' }, { onUpgrade: throwing })
    await turn()
    sockets[0]!.gives('HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n')
    expect(answer.events).toEqual(['start', 'upgrade', 'error'])
    expect([answer.error, sockets[0]!.destroyed]).toEqual([boom, true])
  })

  test('that throws what is no error ends its exchange with an error', async () => {
    const { answer, socket } = await begun(() => ({
      onData() {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a handler might do
        throw 'boom'
      },
    }))
    socket.gives(THREE)
    expect(answer.error).toEqual(new Error('boom'))
  })

  test('of one request does no harm to the one that waited for its connection', async () => {
    const { client, sockets } = fakeClient({ maxConnections: 1 })
    const first = send(client)
    const second = send(client, {}, { onStart: throwing })
    const third = send(client)
    await turn()
    sockets[0]!.gives('HTTP/1.1 204 x\r\n\r\n')
    await turn()
    expect([first.events.at(-1), second.error]).toEqual(['end', boom])
    sockets[1]!.gives('HTTP/1.1 204 x\r\n\r\n')
    expect(third.events).toEqual(['start', 'head', 'end'])
  })

  test.each<keyof AnswerHandler>(['onStart', 'onHead', 'onData'])(
    'that gives up in %s hears nothing more',
    async (name) => {
      const { client, sockets } = fakeClient()
      const gone = new Error('gone')
      const giveUp = (): void => {
        answer.exchange?.abort(gone)
        answer.exchange?.abort(new Error('again'))
        answer.exchange?.pause()
        answer.exchange?.resume()
      }
      const answer = send(client, {}, { [name]: giveUp })
      await turn()
      sockets[0]!.gives(THREE)
      sockets[0]!.ends()
      await turn()
      expect([answer.error, answer.finals, answer.events.at(-1)]).toEqual([gone, 1, 'error'])
      expect([answer.bytes, sockets[0]!.destroyed]).toEqual([name === 'onData' ? 1 : 0, true])
    },
  )

  test('that gives up while it pauses, with more waiting, hears nothing more', async () => {
    const { answer, socket } = await begun(pausing)
    socket.gives(THREE)
    answer.exchange?.abort(new Error('gone'))
    answer.exchange?.resume()
    await turn()
    expect([answer.text, answer.finals, socket.destroyed]).toEqual(['a', 1, true])
  })

  test('that sends the next request from its own end gets the same connection', async () => {
    const { client, sockets } = fakeClient()
    let next: Answer | undefined
    send(client, {}, { onEnd: () => (next = send(client)) })
    await turn()
    sockets[0]!.gives('HTTP/1.1 204 x\r\n\r\n')
    await turn()
    sockets[0]!.gives('HTTP/1.1 204 x\r\n\r\n')
    expect([next?.events, sockets.length]).toEqual([['start', 'head', 'end'], 1])
  })

  test('that destroys its client in the middle of an answer hears that, once', async () => {
    const { client, sockets } = fakeClient()
    const over = new Error('over')
    const answer = send(client, {}, { onData: () => client.destroy(over) })
    await turn()
    sockets[0]!.gives(THREE)
    await turn()
    expect([answer.error, answer.finals, answer.text]).toEqual([over, 1, 'a'])
  })
})
