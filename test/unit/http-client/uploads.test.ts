import { PassThrough, Readable } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { UnsendableRequestError } from '../../../src-main/http-client/index.js'
import { clientOf, fakeClient, send, turn, type Answer, type FakeSocket } from '../../fixtures/http-client.js'
import { startTestServer, type TestServer } from '../../fixtures/http-server.js'
import { until } from '../../fixtures/until.js'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

let server: TestServer | undefined
afterEach(() => server?.close())

interface Begun {
  answer: Answer
  socket: FakeSocket
  body: PassThrough
  /** What was sent behind the head. */
  sent(): string
  next(): Answer
  count(): number
}

/** An upload whose head was sent. */
async function begun(headers: Record<string, string> = {}): Promise<Begun> {
  const { client, sockets } = fakeClient()
  const body = new PassThrough()
  const answer = send(client, { method: 'POST', headers: { host: 'x', ...headers }, body })
  await turn()
  const socket = sockets[0]!
  return {
    answer,
    socket,
    body,
    sent: () => socket.sent.slice(socket.sent.indexOf('\r\n\r\n') + 4),
    next: () => send(client),
    count: () => sockets.length,
  }
}

describe('an upload', () => {
  test('in chunks goes out as it comes, and its connection serves on', async () => {
    const upload = await begun()
    upload.body.write('hello')
    await turn()
    expect(upload.sent()).toBe('5\r\nhello\r\n')
    upload.body.write(Buffer.alloc(0))
    upload.body.end('0123456789abcdef')
    await turn()
    await turn()
    expect(upload.sent()).toBe('5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n')
    upload.socket.gives(OK)
    expect([upload.answer.text, upload.answer.error]).toEqual(['ok', undefined])
    upload.next()
    expect([upload.count(), upload.socket.sent.includes('GET')]).toEqual([1, true])
    expect(upload.socket.listenerCount('drain') + upload.body.listenerCount('data')).toBe(0)
  })

  test('that is empty ends with its last chunk at once', async () => {
    const upload = await begun()
    upload.body.end()
    await turn()
    await turn()
    expect(upload.sent()).toBe('0\r\n\r\n')
  })

  test('of a known length goes out bare', async () => {
    const upload = await begun({ 'content-length': '5' })
    upload.body.end('hello')
    await turn()
    await turn()
    expect(upload.sent()).toBe('hello')
    upload.socket.gives(OK)
    expect(upload.answer.text).toBe('ok')
  })

  test('longer than it was told to be fails, and not a byte more is sent', async () => {
    const upload = await begun({ 'content-length': '5' })
    upload.body.write('hello')
    await turn()
    upload.body.write(' GET /evil HTTP/1.1')
    await turn()
    expect([upload.answer.error, upload.answer.finals]).toEqual([expect.any(UnsendableRequestError), 1])
    expect([upload.sent(), upload.socket.destroyed, upload.body.destroyed]).toEqual(['hello', true, true])
  })

  test('shorter than it was told to be fails', async () => {
    const upload = await begun({ 'content-length': '5' })
    upload.body.end('hell')
    await turn()
    await turn()
    expect([upload.answer.error, upload.socket.destroyed]).toEqual([expect.any(UnsendableRequestError), true])
  })

  test('whose source breaks off fails with its error, or one that says so', async () => {
    for (const given of [new Error('the client went away'), undefined]) {
      const upload = await begun()
      upload.body.write('half')
      await turn()
      upload.body.destroy(given)
      await turn()
      expect(upload.answer.error?.message).toBe(given?.message ?? 'its body broke off')
      expect([upload.answer.finals, upload.sent(), upload.socket.destroyed]).toEqual([1, '4\r\nhalf\r\n', true])
    }
  })

  test('whose source had ended or broken off before fails', async () => {
    const dead = new PassThrough()
    dead.destroy()
    const read = Readable.from([])
    await read.toArray()
    await turn()
    for (const body of [dead, read]) {
      const { client, sockets } = fakeClient()
      const answer = send(client, { method: 'POST', body })
      await turn()
      expect([answer.error?.message, sockets[0]!.destroyed]).toEqual(['its body broke off', true])
    }
  })

  test('whose source fails when all is over disturbs nobody', async () => {
    const upload = await begun()
    upload.body.write('half')
    upload.socket.gives(OK)
    await turn()
    upload.body.destroy(new Error('late'))
    upload.body.emit('error', new Error('later'))
    await turn()
    expect([upload.answer.finals, upload.answer.text]).toEqual([1, 'ok'])
  })

  test('waits while the connection is full', async () => {
    const upload = await begun()
    upload.socket.isFull = true
    for (let count = 0; count < 10; count += 1) upload.body.write(Buffer.alloc(16 * 1024, 'u'))
    await turn()
    const atFirst = upload.sent().length
    expect([upload.body.isPaused(), atFirst < 40_000]).toEqual([true, true])
    await turn()
    expect(upload.sent().length).toBe(atFirst)
    upload.body.end()
    upload.socket.takesOn()
    await until(() => upload.sent().endsWith('0\r\n\r\n'), { what: 'all is sent' })
    expect(upload.sent().split('u').length - 1).toBe(10 * 16 * 1024)
  })

  test('whose answer is complete before it is ends, and so does its connection', async () => {
    const upload = await begun()
    upload.body.write('half')
    await turn()
    upload.socket.gives(OK)
    expect([upload.answer.text, upload.answer.error]).toEqual(['ok', undefined])
    expect([upload.socket.destroyed, upload.body.destroyed]).toEqual([true, true])
    expect(upload.socket.listenerCount('drain')).toBe(0)
  })

  test('goes on when its answer begins before it has ended', async () => {
    const upload = await begun()
    upload.body.write('half')
    await turn()
    upload.socket.gives('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no')
    upload.body.end('rest')
    await turn()
    await turn()
    expect(upload.sent()).toBe('4\r\nhalf\r\n4\r\nrest\r\n0\r\n\r\n')
    upload.socket.gives('k')
    expect([upload.answer.text, upload.socket.destroyed]).toEqual(['ok', false])
  })

  test('stops when its connection is lost', async () => {
    const upload = await begun()
    upload.body.write('half')
    await turn()
    upload.socket.destroy(new Error('reset'))
    await turn()
    expect([upload.answer.error?.name, upload.body.destroyed]).toEqual(['ConnectionLostError', true])
    expect(upload.socket.listenerCount('drain')).toBe(0)
  })

  test('is left alone where no connection was made, or its request was given up before it was sent', async () => {
    const { client } = fakeClient()
    const body = new PassThrough()
    const answer = send(client, { body }, { onStart: (exchange) => exchange.abort(new Error('gone')) })
    await answer.ended
    expect([body.destroyed, body.readableFlowing]).toEqual([false, null])
  })
})

describe('a body', () => {
  test.each([1, 16 * 1024, 16 * 1024 + 1, 1024 * 1024, 1024 * 1024 + 1, 3_000_000])(
    'of %i bytes arrives whole, twice over one connection',
    async (bytes) => {
      const body = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251))
      const whole = Buffer.alloc(bytes, body)
      let seen = Buffer.alloc(0)
      server = await startTestServer((request, response) => {
        void request.toArray().then((pieces: Buffer[]) => {
          seen = Buffer.concat(pieces)
          response.end('ok')
        })
      })
      const { client, sockets } = clientOf(server.port)
      for (let count = 0; count < 2; count += 1) {
        const answer = await send(client, { method: 'POST', body: whole }).ended
        expect([answer.text, answer.error, seen.equals(whole)]).toEqual(['ok', undefined, true])
      }
      expect(sockets.length).toBe(1)
      client.destroy(new Error('over'))
    },
  )
})
