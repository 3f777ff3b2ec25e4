import type { Socket } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  ConnectFailedError,
  ConnectionLostError,
  createHttpClient,
  UnsendableRequestError,
  type HttpClient,
} from '../../../src-main/http-client/index.js'
import { startBareServer, type BareServer } from '../../fixtures/bare-server.js'
import { clientOf, fakeClient, FakeSocket, send, turn, type Answer } from '../../fixtures/http-client.js'
import { until } from '../../fixtures/until.js'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

const OK_AND_CLOSE = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'

const cleanups: (() => unknown)[] = []
afterEach(() => {
  vi.useRealTimers()
  for (const clean of cleanups.splice(0).reverse()) clean()
})

async function serverOf(...args: Parameters<typeof startBareServer>): Promise<BareServer> {
  const server = await startBareServer(...args)
  cleanups.push(() => server.close())
  return server
}

/** A client and its server, which answers each request as `answer` says. */
async function pair(
  answer: (socket: Socket, turn: number) => void = (socket) => socket.write(OK),
  options: Parameters<typeof clientOf>[1] = {},
): Promise<{ client: HttpClient; server: BareServer; sockets: Socket[] }> {
  const server = await serverOf(answer)
  const made = clientOf(server.port, options)
  cleanups.push(() => made.client.destroy(new Error('the test is over')))
  return { ...made, server }
}

const outcome = ({ events, error, text }: Answer): unknown => error?.name ?? `${events.at(-1)} ${text}`

describe('a connection', () => {
  test('serves one request after the other', async () => {
    const { client, server } = await pair()
    for (let count = 0; count < 5; count += 1) expect(outcome(await send(client).ended)).toBe('end ok')
    expect([server.sockets.length, client.stats]).toEqual([1, { connections: 1, running: 0, waiting: 0 }])
  })

  test('that was used last is used first', async () => {
    const held: Socket[] = []
    const { client } = await pair((socket) => held.push(socket))
    const answers = [send(client), send(client), send(client)]
    await until(() => held.length === 3, { what: 'three requests are there' })
    for (const at of [1, 2, 0]) {
      held[at]!.write(OK)
      await Promise.race(answers.filter(({ finals }) => finals === 0).map(({ ended }) => ended))
    }
    const last = held[0]
    held.length = 0
    const next = send(client)
    await until(() => held.length === 1, { what: 'the next request is there' })
    expect(held[0]).toBe(last)
    held[0]?.write(OK)
    expect(outcome(await next.ended)).toBe('end ok')
  })

  test('is closed behind an answer that says so, or has more bytes than it should', async () => {
    for (const text of [OK_AND_CLOSE, 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', `${OK}!`, `${OK}${OK}`]) {
      const { client, server } = await pair((socket) => socket.write(text))
      for (let count = 0; count < 2; count += 1) expect(outcome(await send(client).ended)).toBe('end ok')
      expect(server.sockets.length).toBe(2)
    }
  })

  test('that idles and gets bytes nobody asked for is closed', async () => {
    const { client, server } = await pair()
    await send(client).ended
    server.sockets[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned')
    await until(() => client.stats.connections === 0, { what: 'the connection is closed' })
    expect(outcome(await send(client).ended)).toBe('end ok')
  })

  test('on which bytes wait that nobody asked for is not used', async () => {
    const { client, sockets } = fakeClient()
    const answer = send(client, {}, { onData: () => answer.exchange?.pause() })
    await turn()
    sockets[0]!.gives('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', OK)
    answer.exchange?.resume()
    expect(outcome(answer)).toBe('end ok')
    const next = send(client)
    await turn()
    expect([sockets.length, sockets[0]!.destroyed, next.events]).toEqual([2, true, ['start']])
  })

  test('that idles and is closed or reset by the other side is forgotten', async () => {
    for (const cut of [(socket: Socket) => socket.end(), (socket: Socket) => socket.resetAndDestroy()]) {
      const { client, server } = await pair()
      await send(client).ended
      cut(server.sockets[0]!)
      await until(() => client.stats.connections === 0, { what: 'it is forgotten' })
      expect(outcome(await send(client).ended)).toBe('end ok')
    }
  })

  test('has no more listeners after many requests than after one', async () => {
    const { client, sockets } = await pair()
    const counts = (): number[] => sockets[0]!.eventNames().map((name) => sockets[0]!.listenerCount(name))
    await send(client).ended
    const first = counts()
    for (let count = 0; count < 30; count += 1) await send(client, { method: 'POST', body: Buffer.from('x') }).ended
    expect(counts()).toEqual(first)
  })

  test('whose answer ended in the very moment its reader went on serves the next request', async () => {
    const chunks = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'
    const { client, server } = await pair((socket) => socket.write(chunks))
    for (let count = 0; count < 3; count += 1) {
      const answer = send(
        client,
        {},
        {
          onData() {
            answer.exchange?.pause()
            setImmediate(() => answer.exchange?.resume())
          },
        },
      )
      expect(outcome(await answer.ended)).toBe('end ok')
    }
    expect(server.sockets.length).toBe(1)
  })

  test('whose answer ended while its reader paused serves the next request', async () => {
    const { client, server } = await pair()
    for (let count = 0; count < 3; count += 1) {
      const answer = send(client, {}, { onData: () => answer.exchange?.pause() })
      expect(outcome(await answer.ended)).toBe('end ok')
    }
    expect(server.sockets.length).toBe(1)
  })
})

describe('a lost connection', () => {
  test.each([
    ['closed', (socket: Socket) => socket.end()],
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
  ])('that was %s is stale only where it had served before and no byte came', async (_name, cut) => {
    const fresh = await pair(cut)
    expect(await send(fresh.client).ended).toMatchObject({ isStale: false, error: expect.any(ConnectionLostError) })

    const reused = await pair((socket, count) => (count === 1 ? socket.write(OK) : cut(socket)))
    await send(reused.client).ended
    expect(await send(reused.client).ended).toMatchObject({ isStale: true })
    expect(await send(reused.client).ended).toMatchObject({ isStale: false })
  })

  test('is not stale when a single byte of the answer came', async () => {
    const { client } = await pair((socket, count) => (count === 1 ? socket.write(OK) : socket.end('H')))
    await send(client).ended
    expect(await send(client).ended).toMatchObject({ isStale: false, error: expect.any(ConnectionLostError) })
  })

  test('is not stale behind a request that could not be sent or was given up before it', async () => {
    const { client, sockets } = fakeClient()
    expect((await send(client, { path: '/\r\n' }).ended).error).toBeInstanceOf(UnsendableRequestError)
    const answer = send(client)
    await turn()
    sockets[0]!.destroy()
    expect(await answer.ended).toMatchObject({ isStale: false, error: expect.any(ConnectionLostError) })
  })

  test('has the reason of its socket', async () => {
    const { client } = await pair((socket) => socket.resetAndDestroy())
    expect((await send(client).ended).error?.cause).toMatchObject({ code: 'ECONNRESET' })
  })
})

describe('more requests than connections', () => {
  test('wait, in order, and each is served', async () => {
    const { client, server } = await pair(undefined, { maxConnections: 2 })
    const order: number[] = []
    const answers = Array.from({ length: 20 }, (_, index) => send(client, {}, { onEnd: () => void order.push(index) }))
    expect(client.stats).toEqual({ connections: 0, running: 0, waiting: 20 })
    await Promise.all(answers.map(({ ended }) => ended))
    expect(server.sockets.length).toBe(2)
    expect(order.length).toBe(20)
    expect(order.slice(-2).sort((a, b) => a - b)).toEqual([18, 19])
  })

  test('get connections of their own when those of others end', async () => {
    const { client, server } = await pair(
      (socket, count) => (count % 2 === 0 ? socket.end() : socket.end(OK_AND_CLOSE)),
      {
        maxConnections: 1,
      },
    )
    const answers = Array.from({ length: 6 }, () => send(client))
    const outcomes = (await Promise.all(answers.map(({ ended }) => ended))).map(outcome)
    expect(outcomes).toEqual(Array.from({ length: 3 }, () => ['end ok', 'ConnectionLostError']).flat())
    expect(server.sockets.length).toBe(6)
  })

  test('all fail when no connection can be made, each with the reason', async () => {
    const server = await startBareServer(() => undefined)
    server.close()
    const { client, sockets } = clientOf(server.port, { maxConnections: 2 })
    const answers = await Promise.all(Array.from({ length: 7 }, () => send(client).ended))
    for (const { error } of answers) {
      expect(error).toBeInstanceOf(ConnectFailedError)
      expect(error?.cause).toMatchObject({ code: 'ECONNREFUSED' })
    }
    expect([sockets.length, client.stats]).toEqual([7, { connections: 0, running: 0, waiting: 0 }])
  })

  test('are too many beyond ten thousand', async () => {
    const { client } = fakeClient({ maxConnections: 1 })
    const answers = Array.from({ length: 10_002 }, () => send(client))
    expect(answers[10_001]?.error).toBeInstanceOf(ConnectFailedError)
    expect(answers.filter(({ finals }) => finals > 0).length).toBe(1)
    client.destroy(new Error('over'))
    await turn()
    expect(answers.every(({ finals }) => finals === 1)).toBe(true)
  })

  test('that can not be sent are refused at once, and no connection is made for them', () => {
    const { client, sockets } = fakeClient({ maxConnections: 1 })
    const answers = Array.from({ length: 9_000 }, () => send(client, { path: '/ ' }))
    expect(answers.every(({ error }) => error instanceof UnsendableRequestError)).toBe(true)
    expect([sockets.length, client.stats.waiting]).toEqual([0, 0])
  })

  test('that are given up before they begin make room for the next', async () => {
    const { client } = await pair(undefined, { maxConnections: 1 })
    const gone = Array.from({ length: 50 }, () => {
      const answer = send(client, {}, { onStart: (exchange) => exchange.abort(new Error('gone')) })
      return answer.ended
    })
    const stays = send(client)
    expect((await Promise.all(gone)).every(({ error }) => error?.message === 'gone')).toBe(true)
    expect(outcome(await stays.ended)).toBe('end ok')
  })
})

describe('making a connection', () => {
  test('fails with the error it was given, where that is one of a failed connection', async () => {
    const given = new ConnectFailedError(new Error('far away'))
    const client = createHttpClient({ connect: () => Promise.reject(given), maxConnections: 1, keepAliveMs: 1_000 })
    expect((await send(client).ended).error).toBe(given)
  })

  test('fails with words of its own where the reason has none', async () => {
    const reasons = [new AggregateError([new Error('a'), new Error('b')]), 'text', undefined]
    for (const reason of reasons) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what others might do
      const client = createHttpClient({ connect: () => Promise.reject(reason), maxConnections: 1, keepAliveMs: 1_000 })
      const { error } = await send(client).ended
      expect([error?.name, error?.message, error?.cause]).toEqual([
        'ConnectFailedError',
        'no connection could be made',
        reason,
      ])
    }
  })

  test('fails where it is dead on arrival', async () => {
    const dead = new FakeSocket()
    dead.destroy()
    await turn()
    let made = 0
    const connect = (): Promise<FakeSocket> => Promise.resolve((made += 1) === 1 ? dead : new FakeSocket())
    const client = createHttpClient({ connect, maxConnections: 1, keepAliveMs: 1_000 })
    const [first, second] = [send(client), send(client)]
    expect((await first.ended).error).toBeInstanceOf(ConnectFailedError)
    await turn()
    expect([second.events, client.stats]).toEqual([['start'], { connections: 1, running: 1, waiting: 0 }])
  })
})

describe('an idle connection', () => {
  const idleFor = async (ms: number, header: string, keepAliveMs = 10_000): Promise<boolean> => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const { client, sockets } = fakeClient({ keepAliveMs })
    const answer = send(client)
    await turn()
    sockets[0]!.gives(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${header}\r\n`)
    await answer.ended
    vi.advanceTimersByTime(ms)
    await turn()
    const { destroyed } = sockets[0]!
    expect(client.stats.connections).toBe(destroyed ? 0 : 1)
    vi.advanceTimersByTime(20_000)
    expect([sockets[0]!.destroyed, vi.getTimerCount()]).toEqual([true, 0])
    vi.useRealTimers()
    return !destroyed
  }

  test('is kept for as long as it should be, and no timer outlives it', async () => {
    expect(await idleFor(9_900, '')).toBe(true)
    expect(await idleFor(10_500, '')).toBe(false)
  })

  test('is closed a second before the other side closes it', async () => {
    expect(await idleFor(1_900, 'Keep-Alive: timeout=3\r\n')).toBe(true)
    expect(await idleFor(2_500, 'Keep-Alive: timeout=3\r\n')).toBe(false)
    expect(await idleFor(0, 'Keep-Alive: timeout=1\r\n')).toBe(false)
    expect(await idleFor(0, 'Keep-Alive: timeout=0\r\n')).toBe(false)
  })

  test('is kept no longer because the other side would', async () => {
    expect(await idleFor(10_500, 'Keep-Alive: timeout=100\r\n')).toBe(false)
  })

  test('that went stays no reason to close the others', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const { client, sockets } = fakeClient()
    const answers = [send(client), send(client)]
    await turn()
    sockets[0]!.gives('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=3\r\n\r\n')
    sockets[1]!.gives('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    await Promise.all(answers.map(({ ended }) => ended))
    vi.advanceTimersByTime(5_000)
    await turn()
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, false])
    send(client)
    expect(sockets[1]!.sent.match(/GET/g)?.length).toBe(2)
  })
})

describe('a connection there is a better way than', () => {
  const serve = async (client: HttpClient, socket: () => FakeSocket): Promise<void> => {
    const answer = send(client)
    await turn()
    expect([...client.inUse()]).toEqual([socket()])
    socket().gives('HTTP/1.1 204 x\r\n\r\n')
    await answer.ended
    expect([...client.inUse()]).toEqual([])
  }

  test('takes no further request', async () => {
    const outdated = new Set<unknown>()
    const { client, sockets } = fakeClient({ mayReuse: (socket) => !outdated.has(socket) })
    await serve(client, () => sockets[0]!)
    await serve(client, () => sockets[0]!)
    outdated.add(sockets[0])
    await serve(client, () => sockets[1]!)
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, false])
  })

  test('is closed soon when it idles', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    let isOutdated = false
    const { client, sockets } = fakeClient({ mayReuse: () => !isOutdated })
    await serve(client, () => sockets[0]!)
    vi.advanceTimersByTime(600)
    expect(sockets[0]!.destroyed).toBe(false)
    isOutdated = true
    vi.advanceTimersByTime(600)
    expect([sockets[0]!.destroyed, vi.getTimerCount()]).toEqual([true, 0])
  })
})

test('each request that is sent on a connection is told of, and a look at what idles is not', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  const sentOn: unknown[] = []
  const { client, sockets } = fakeClient({ mayReuse: () => true, onSend: (socket) => sentOn.push(socket) })
  for (let count = 0; count < 2; count += 1) {
    const answer = send(client)
    await turn()
    sockets[0]!.gives('HTTP/1.1 204 x\r\n\r\n')
    await answer.ended
    vi.advanceTimersByTime(3_000)
  }
  expect(sentOn).toEqual([sockets[0], sockets[0]])
})

describe('closing a client', () => {
  test('closes what idles, lets end what is under way or waits, and takes nothing more', async () => {
    const held: Socket[] = []
    const { client, server } = await pair((socket, count) => (count === 1 ? socket.write(OK) : held.push(socket)), {
      maxConnections: 1,
    })
    await send(client).ended
    const running = send(client)
    const waiting = send(client)
    await until(() => held.length === 1, { what: 'the request is there' })
    client.close()
    expect((await send(client).ended).error).toBeInstanceOf(ConnectFailedError)
    held[0]!.write(OK)
    expect(outcome(await running.ended)).toBe('end ok')
    await until(() => held.length === 2, { what: 'the one that waited is there' })
    held[1]!.write(OK)
    expect(outcome(await waiting.ended)).toBe('end ok')
    await until(() => client.stats.connections === 0, { what: 'its connection is closed' })
    expect(server.sockets.length).toBe(1)
  })

  test('with destroy ends all at once, with that error, whatever it waits for', async () => {
    const { client, server } = await pair(() => undefined, { maxConnections: 1 })
    const running = send(client)
    const waiting = send(client)
    await until(() => server.seen[0]?.includes('\r\n\r\n'), { what: 'the request is there' })
    const error = new Error('this node stops')
    client.destroy(error)
    expect([running.error, waiting.error, send(client).error]).toEqual([error, error, error])
    await until(() => client.stats.connections === 0, { what: 'its connection is closed' })
    expect([running.finals, waiting.finals]).toEqual([1, 1])
    client.destroy(new Error('again'))
    client.close()
  })

  test('with destroy ends those at once a connection is being made for, and that connection when it comes', async () => {
    const made = Promise.withResolvers<FakeSocket>()
    const client = createHttpClient({ connect: () => made.promise, maxConnections: 1, keepAliveMs: 1_000 })
    const [connecting, waiting] = [send(client), send(client)]
    const error = new Error('this node stops')
    client.destroy(error)
    expect([connecting.error, waiting.error]).toEqual([error, error])
    const socket = new FakeSocket()
    made.resolve(socket)
    await turn()
    expect([socket.destroyed, socket.sent, connecting.finals, waiting.finals]).toEqual([true, '', 1, 1])
    expect(client.stats).toEqual({ connections: 0, running: 0, waiting: 0 })
  })

  test('with destroy while a connection is refused tells nobody twice', async () => {
    const made = Promise.withResolvers<FakeSocket>()
    const client = createHttpClient({ connect: () => made.promise, maxConnections: 1, keepAliveMs: 1_000 })
    const answer = send(client)
    client.destroy(new Error('this node stops'))
    made.reject(new Error('refused'))
    await turn()
    expect([answer.finals, answer.error?.message]).toEqual([1, 'this node stops'])
  })

  test('with destroy is safe where a request that ends so sends another one', async () => {
    const { client, sockets } = fakeClient({ maxConnections: 2 })
    const errors: unknown[] = []
    const again = (): void => void send(client, {}, { onError: (error) => errors.push(error) })
    for (let count = 0; count < 4; count += 1) send(client, {}, { onError: again })
    await turn()
    client.destroy(new Error('over'))
    await turn()
    expect([errors.length, sockets.length, client.stats.connections]).toEqual([4, 2, 0])
  })
})

test('a socket that fails after all is over disturbs nobody', async () => {
  const server = await serverOf((socket) => socket.write(OK))
  const { client, sockets } = clientOf(server.port)
  const answer = await send(client).ended
  answer.exchange?.pause()
  answer.exchange?.resume()
  answer.exchange?.abort(new Error('late'))
  sockets[0]!.destroy(new Error('late'))
  await until(() => client.stats.connections === 0, { what: 'the connection is gone' })
  expect([answer.finals, outcome(answer)]).toEqual([1, 'end ok'])
})
