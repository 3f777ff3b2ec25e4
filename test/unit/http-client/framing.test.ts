import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConnectionLostError, MalformedAnswerError } from '../../../src-main/http-client/errors.js'
import { Answer, fakeClient, GET, send, turn, type FakeSocket, type Hooks } from '../../fixtures/http-client.js'

type Framing = 'length' | 'chunked' | 'close'

interface Written {
  bytes: Buffer
  /** Where its head ends. */
  headEnd: number
}

/** Pieces as chunks; sizes in any spelling the grammar allows. */
function chunksOf(body: Buffer, sizes: readonly number[], dress: readonly string[]): string {
  let text = ''
  let at = 0
  for (let turnOf = 0; at < body.length; turnOf += 1) {
    const size = Math.min(sizes[turnOf % sizes.length] ?? body.length, body.length - at)
    const [zeros = '', extension = ''] = (dress[turnOf % Math.max(1, dress.length)] ?? '|').split('|')
    text += `${zeros}${size.toString(16)}${extension}\r\n${body.toString('latin1', at, at + size)}\r\n`
    at += size
  }
  return text
}

function written(
  body: Buffer,
  framing: Framing,
  {
    sizes,
    dress,
    trailers,
    informational,
  }: { sizes: number[]; dress: string[]; trailers: string[]; informational: string },
): Written {
  const head = `${informational}HTTP/1.1 200 OK\r\nX: y\r\n`
  const text = body.toString('latin1')
  const made = {
    length: [`${head}Content-Length: ${body.length}\r\n\r\n`, text],
    close: [`${head}\r\n`, text],
    chunked: [
      `${head}Transfer-Encoding: chunked\r\n\r\n`,
      `${chunksOf(body, sizes, dress)}0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`,
    ],
  }[framing] as [string, string]
  return { bytes: Buffer.from(made.join(''), 'latin1'), headEnd: made[0].length }
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index])).filter(({ length }) => length > 0)
}

const body = fc
  .oneof(fc.uint8Array({ maxLength: 200 }), fc.constant(new Uint8Array(70_000).fill(0x0a)))
  .map((bytes) => Buffer.from(bytes))
const written_ = fc.record({
  body,
  framing: fc.constantFrom<Framing>('length', 'chunked', 'close'),
  sizes: fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 4 }),
  dress: fc.array(fc.constantFrom('|', '000|', '|;a=b', '|;a="b;c"', '0| ;x', '|\t;'), { maxLength: 4 }),
  trailers: fc.array(fc.constantFrom('X: y', 'A:', 'Content-Length: 7'), { maxLength: 3 }),
  informational: fc.constantFrom(
    '',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 103 x\r\nLink: y\r\n\r\nHTTP/1.1 102 z\r\n\r\n',
  ),
})
const cuts = fc.oneof(fc.array(fc.nat(300), { maxLength: 12 }), fc.array(fc.nat(80_000), { maxLength: 6 }))
/** What a reader does with the n-th piece. */
const moods = fc.array(fc.constantFrom('read', 'pause', 'pause and resume'), { minLength: 1, maxLength: 5 })

function moody(moodList: readonly string[], exchangeOf: () => Answer): Hooks {
  let pieces = 0
  return {
    onData() {
      const mood = moodList[(pieces += 1) % moodList.length]
      if (mood === 'read') return
      exchangeOf().exchange?.pause()
      if (mood === 'pause and resume') exchangeOf().exchange?.resume()
      else setImmediate(() => exchangeOf().exchange?.resume())
    },
  }
}

async function give(socket: FakeSocket, pieces: readonly Buffer[], inTurns: boolean): Promise<void> {
  for (const piece of pieces) {
    socket.gives(piece)
    if (inTurns) await turn()
  }
}

test(
  'any body, framed in any way and cut at any places, comes out whole, however its reader pauses; its connection is used again where it may be',
  { timeout: 60_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(written_, cuts, fc.boolean(), moods, async (how, places, inTurns, moodList) => {
        const { client, sockets } = fakeClient()
        const answer: Answer = new Answer(moody(moodList, () => answer))
        client.send(GET, answer)
        await turn()
        await give(sockets[0]!, cutAt(written(how.body, how.framing, how).bytes, places), inTurns)
        if (how.framing === 'close') sockets[0]!.ends()
        await answer.ended
        expect([answer.error, answer.finals, answer.status]).toEqual([undefined, 1, 200])
        expect(Buffer.concat(answer.pieces).equals(how.body)).toBe(true)
        await turn()
        expect(client.stats).toEqual({ connections: how.framing === 'close' ? 0 : 1, running: 0, waiting: 0 })
        if (how.framing === 'close') return
        const next = send(client)
        sockets[0]!.gives('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext')
        expect([(await next.ended).text, sockets.length]).toEqual(['next', 1])
      }),
      { numRuns: 400 },
    )
  },
)

test(
  'bytes behind an answer close its connection, however they are cut and whoever waits for it',
  { timeout: 60_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        written_.filter(({ framing }) => framing !== 'close'),
        cuts,
        moods,
        fc.constantFrom('x', '\r\n', '\0', 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned'),
        async (how, places, moodList, extra) => {
          const { client, sockets } = fakeClient()
          const answer: Answer = new Answer(moody(moodList, () => answer))
          client.send(GET, answer)
          await turn()
          const { bytes } = written(how.body, how.framing, how)
          await give(sockets[0]!, cutAt(Buffer.concat([bytes, Buffer.from(extra)]), places), false)
          await answer.ended
          expect([answer.error, answer.bytes]).toEqual([undefined, how.body.length])
          const next = send(client)
          await turn()
          await turn()
          expect([sockets[0]!.destroyed, next.text, sockets[0]!.sent.match(/GET/g)?.length]).toEqual([true, '', 1])
        },
      ),
      { numRuns: 300 },
    )
  },
)

test('an answer that breaks off anywhere never looks complete', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      written_.filter(({ framing }) => framing !== 'close'),
      fc.nat(),
      cuts,
      moods,
      fc.constantFrom<(socket: FakeSocket) => unknown>(
        (socket) => socket.ends(),
        (socket) => socket.destroy(),
        (socket) => socket.destroy(new Error('reset')),
      ),
      async (how, place, places, moodList, end) => {
        const { bytes, headEnd } = written(how.body, how.framing, how)
        const whole = place % bytes.length
        const { client, sockets } = fakeClient()
        const answer: Answer = new Answer(moody(moodList, () => answer))
        client.send(GET, answer)
        await turn()
        await give(sockets[0]!, cutAt(bytes.subarray(0, whole), places), false)
        end(sockets[0]!)
        await answer.ended
        expect(answer.error).toBeInstanceOf(ConnectionLostError)
        expect([answer.finals, answer.isStale]).toEqual([1, false])
        expect(answer.status).toBe(whole < headEnd && answer.status === 0 ? 0 : 200)
        expect(how.body.subarray(0, answer.bytes).equals(Buffer.concat(answer.pieces))).toBe(true)
      },
    ),
    { numRuns: 300 },
  )
})

describe('chunks', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

  async function answerTo(...pieces: string[]): Promise<Answer> {
    const { client, sockets } = fakeClient()
    const answer = send(client)
    await turn()
    sockets[0]!.gives(...pieces)
    sockets[0]!.ends()
    return answer.ended
  }

  test.each([
    ['\r\n'],
    [' 2\r\nhi\r\n0\r\n\r\n'],
    ['2 \r\nhi\r\n0\r\n\r\n'],
    ['+2\r\nhi\r\n0\r\n\r\n'],
    ['-2\r\nhi\r\n0\r\n\r\n'],
    ['0x2\r\nhi\r\n0\r\n\r\n'],
    ['2\nhi\r\n0\r\n\r\n'],
    ['2\r\r\nhi\r\n0\r\n\r\n'],
    ['2\r\nhi\n0\r\n\r\n'],
    ['2\r\nhi0\r\n\r\n'],
    ['2\r\nhi!\r\n0\r\n\r\n'],
    ['2\r\nhi\r\n\r\n0\r\n\r\n'],
    ['2;a\0\r\nhi\r\n0\r\n\r\n'],
    ['2;a\rb\r\nhi\r\n0\r\n\r\n'],
    ['g\r\nhi\r\n0\r\n\r\n'],
    ['fffffffffffffff\r\nhi\r\n0\r\n\r\n'],
    ['10000000000000002\r\nhi\r\n0\r\n\r\n'],
    [`${'0'.repeat(13)}2\r\nhi\r\n0\r\n\r\n`],
    [`2;${'a'.repeat(1_024)}\r\nhi\r\n0\r\n\r\n`],
    ['0\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['0\r\n A: b\r\n\r\n'],
    ['0\r\nA : b\r\n\r\n'],
    ['0\r\nA: b\rc\r\n\r\n'],
    ['0\r\nA: b\n\r\n'],
    ['0\n\n'],
    [`0\r\nA: ${'b'.repeat(1_024)}\r\n\r\n`],
    [`0\r\n${'A: b\r\n'.repeat(3_000)}\r\n`],
  ])('as %j are refused', async (text) => {
    expect((await answerTo(HEAD + text)).error).toBeInstanceOf(MalformedAnswerError)
    expect((await answerTo(HEAD, ...text.split(''))).error).toBeInstanceOf(MalformedAnswerError)
  })

  test('of which a line has no end are refused long before that', async () => {
    const { client, sockets } = fakeClient()
    const answer = send(client)
    await turn()
    sockets[0]!.gives(HEAD)
    for (let count = 0; count < 1_100 && answer.finals === 0; count += 1) sockets[0]!.gives('0')
    expect(answer.error).toBeInstanceOf(MalformedAnswerError)
  })

  test('of a terabyte are no reason to hold memory for it', async () => {
    const answer = await answerTo(`${HEAD}fffffffffff\r\nhi`)
    expect([answer.text, answer.error]).toEqual(['hi', expect.any(ConnectionLostError)])
  })
})

describe('a head', () => {
  const filler = (bytes: number): string => {
    const start = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: '
    return start + 'x'.repeat(bytes - start.length)
  }

  test.each([
    ['in one piece', (text: string) => [text]],
    ['cut in its last four bytes', (text: string) => [text.slice(0, -5), ...text.slice(-5).split('')]],
    ['cut in the middle', (text: string) => [text.slice(0, 40_000), text.slice(40_000)]],
  ])('of 64 KiB is read and one of a byte more is refused, %s', async (_name, cut) => {
    for (const [bytes, fits] of [
      [64 * 1024, true],
      [64 * 1024 + 1, false],
    ] as const) {
      const { client, sockets } = fakeClient()
      const answer = send(client)
      await turn()
      sockets[0]!.gives(...cut(`${filler(bytes)}\r\n\r\nhi`))
      await answer.ended
      expect([answer.text, answer.error === undefined]).toEqual([fits ? 'hi' : '', fits])
      expect(sockets[0]!.destroyed).toBe(!fits)
    }
  })

  test(
    'without an end is given up behind 64 KiB, and a byte at a time takes no quadratic time',
    { timeout: 20_000 },
    async () => {
      const { client, sockets } = fakeClient()
      const answer = send(client)
      await turn()
      const socket = sockets[0]!
      socket.gives('HTTP/1.1 200 OK\r\nX: ')
      let given = 0
      /** Milliseconds of the processor that the next bytes take. */
      const cost = (bytes: number): number => {
        const { user, system } = process.cpuUsage()
        for (const end = given + bytes; given < end && answer.finals === 0; given += 1) socket.gives('x')
        const after = process.cpuUsage()
        return (after.user + after.system - user - system) / 1000
      }
      const [first] = [cost(16 * 1024), cost(24 * 1024)]
      const last = cost(30_000)
      expect(answer.error).toBeInstanceOf(MalformedAnswerError)
      expect(given).toBeLessThan(64 * 1024)
      // Were all of it read again for each byte, six times as much would be read for these.
      expect(last).toBeLessThan(4 * first + 100)
    },
  )

  test('behind sixteen informational ones is read, behind seventeen not', async () => {
    for (const [count, error] of [
      [16, undefined],
      [17, expect.any(MalformedAnswerError)],
    ] as const) {
      const { client, sockets } = fakeClient()
      const answer = send(client)
      await turn()
      sockets[0]!.gives('HTTP/1.1 103 x\r\nLink: y\r\n\r\n'.repeat(count), 'HTTP/1.1 204 x\r\n\r\n')
      sockets[0]!.ends()
      await answer.ended
      expect([answer.error, answer.status]).toEqual([error, count === 16 ? 204 : 0])
      expect(answer.headers).toEqual({})
    }
  })

  test.each(['HTTP/1.1 200 OK\n\nhi', 'HTTP/1.1 200 OK\r\rhi', '<html>', '\0'.repeat(100)])(
    'that is %j ends with its connection',
    async (text) => {
      const { client, sockets } = fakeClient()
      const answer = send(client)
      await turn()
      sockets[0]!.gives(text)
      sockets[0]!.ends()
      expect((await answer.ended).error).toBeInstanceOf(Error)
      expect(sockets[0]!.destroyed).toBe(true)
    },
  )
})

describe('an answer without a body', () => {
  test.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['GET', 'HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n'],
    ['GET', 'HTTP/1.1 200 x\r\nContent-Length: 000\r\n\r\n'],
    ['GET', 'HTTP/1.1 100 x\r\nContent-Length: 5\r\n\r\nHTTP/1.1 205 x\r\nContent-Length: 0\r\n\r\n'],
  ])('to %s ends with its head, and its connection serves on: %j', async (method, text) => {
    const { client, sockets } = fakeClient()
    for (let count = 0; count < 2; count += 1) {
      const answer = send(client, { method })
      await turn()
      sockets[0]!.gives(text)
      await answer.ended
      expect([answer.error, answer.bytes, answer.events]).toEqual([undefined, 0, ['start', 'head', 'end']])
    }
    expect([sockets.length, sockets[0]!.destroyed]).toEqual([1, false])
  })

  test('that sends one closes its connection', async () => {
    const { client, sockets } = fakeClient()
    const answer = send(client, { method: 'HEAD' })
    await turn()
    sockets[0]!.gives('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')
    await answer.ended
    expect([answer.error, answer.bytes, sockets[0]!.destroyed]).toEqual([undefined, 0, true])
  })
})
