import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { IdleTimeoutError, type HttpClient, type HttpRequest } from '../../../src-main/http-client/index.js'
import { Answer, fakeClient, GET, turn, type FakeSocket, type Hooks } from '../../fixtures/http-client.js'

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
const clients: HttpClient[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy(new Error('over'))
  vi.runOnlyPendingTimers()
  vi.runOnlyPendingTimers()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

async function begun(
  request: Partial<HttpRequest> = {},
  hooks: (of: () => Answer) => Hooks = () => ({}),
): Promise<{ answer: Answer; socket: FakeSocket }> {
  const { client, sockets } = fakeClient()
  clients.push(client)
  const answer: Answer = new Answer(hooks(() => answer))
  client.send({ ...GET, idleTimeoutMs: 1_000, ...request }, answer)
  await turn()
  return { answer, socket: sockets[0]! }
}

const isSilent = ({ error }: Answer): boolean => error instanceof IdleTimeoutError

/** All that happens at the time that passes. */
async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms)
  await turn()
}

async function isFailing(answer: Answer, socket: FakeSocket): Promise<void> {
  await pass(950)
  expect(answer.error).toBeUndefined()
  await pass(200)
  expect([isSilent(answer), answer.finals, socket.destroyed]).toEqual([true, 1, true])
}

describe('a server that sends no byte', () => {
  test('a server that sends no byte of its head is given up in time', async () => {
    const { answer, socket } = await begun()
    await isFailing(answer, socket)
  })

  test('a server that sends no byte of its body is given up in time', async () => {
    const { answer, socket } = await begun()
    await pass(900)
    socket.gives(CHUNKED)
    await isFailing(answer, socket)
  })

  test('a silent server is waited for without end where the request says so', async () => {
    const { answer } = await begun({ idleTimeoutMs: 0 })
    await pass(1_000_000)
    expect([answer.finals, vi.getTimerCount()]).toEqual([0, 0])
  })

  test('a server that sends a byte now and then is not given up', async () => {
    const { answer, socket } = await begun()
    // The whole head within its 30 s.
    for (const byte of `${CHUNKED}1\r\na\r\n0\r\n\r\n`) {
      await pass(answer.status === 0 ? 600 : 900)
      socket.gives(byte)
    }
    expect([answer.text, answer.error]).toEqual(['a', undefined])
  })

  test.each([0, 300_000])(
    'a head that comes by drops is given up after 30 s, whatever the time-out of %i ms',
    async (ms) => {
      const { answer, socket } = await begun({ idleTimeoutMs: ms })
      // Silence before it does not count.
      await pass(20_000)
      socket.gives('HTTP/1.1 200 OK\r\n')
      for (let count = 0; count < 29; count += 1) {
        await pass(1_000)
        socket.gives('X-More: 1\r\n')
      }
      expect(answer.error).toBeUndefined()
      for (let count = 0; count < 5; count += 1) {
        await pass(1_000)
        socket.gives('X-More: 1\r\n')
      }
      expect([isSilent(answer), answer.finals, socket.destroyed]).toEqual([true, 1, true])
    },
  )

  test('endless informational answers do not keep a request alive', async () => {
    const { answer, socket } = await begun()
    for (let count = 0; count < 17; count += 1) {
      await pass(900)
      socket.gives('HTTP/1.1 103 x\r\n\r\n')
    }
    expect([answer.finals, isSilent(answer)]).toEqual([1, false])
  })

  test('an idle connection needs no bytes', async () => {
    const { answer, socket } = await begun()
    socket.gives('HTTP/1.1 204 x\r\n\r\n')
    await pass(2_000)
    expect([answer.error, socket.destroyed]).toEqual([undefined, false])
  })
})

describe('a reader that pauses', () => {
  test('a paused reader may take its time, and the server’s time begins when it resumes', async () => {
    const { answer, socket } = await begun({}, (of) => ({ onData: () => of().exchange?.pause() }))
    socket.gives(`${CHUNKED}1\r\na\r\n`)
    await pass(50_000)
    expect(answer.error).toBeUndefined()
    answer.exchange?.resume()
    await isFailing(answer, socket)
  })

  test('a reader that pauses before its request is sent is watched once when it resumes', async () => {
    const { answer, socket } = await begun({}, (of) => ({ onStart: () => of().exchange?.pause() }))
    await pass(50_000)
    expect(answer.error).toBeUndefined()
    answer.exchange?.resume()
    // The whole head within its 30 s.
    for (const byte of `${CHUNKED}1\r\na\r\n0\r\n\r\n`) {
      await pass(answer.status === 0 ? 600 : 900)
      socket.gives(byte)
    }
    expect([answer.text, answer.error]).toEqual(['a', undefined])
  })
})

describe('an upload', () => {
  test('an upload that moves keeps its request alive', async () => {
    const body = new PassThrough()
    const { answer, socket } = await begun({ method: 'POST', body })
    for (let count = 0; count < 20; count += 1) {
      await pass(900)
      body.write('x')
      await turn()
    }
    expect(answer.error).toBeUndefined()
    await isFailing(answer, socket)
    expect(body.destroyed).toBe(true)
  })

  test('a held body that moves keeps its request alive', async () => {
    const { answer, socket } = await begunFull()
    for (let count = 0; count < 6; count += 1) {
      const before = socket.sent.length
      socket.takesOne()
      await turn()
      expect(socket.sent.length).toBeGreaterThan(before)
      await pass(900)
      expect(answer.error).toBeUndefined()
    }
    socket.takesOn()
    await turn()
    socket.gives('HTTP/1.1 204 x\r\n\r\n')
    expect(answer.events.at(-1)).toBe('end')
  })

  test('an upload that is not read ends in a time-out', async () => {
    const { answer, socket } = await begunFull()
    await isFailing(answer, socket)
  })
})

/** A large body, and a socket that takes nothing of it by itself. */
async function begunFull(): ReturnType<typeof begun> {
  const { client, sockets } = fakeClient()
  clients.push(client)
  const answer = new Answer({ onStart: () => void (sockets[0]!.isFull = true) })
  client.send({ ...GET, method: 'POST', body: Buffer.alloc(2 * 1024 * 1024), idleTimeoutMs: 1_000 }, answer)
  await turn()
  return { answer, socket: sockets[0]! }
}
