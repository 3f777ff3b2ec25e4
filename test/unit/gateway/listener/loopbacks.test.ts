import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createLocalListener } from '../../../../src-main/gateway/listener/local-listener.js'
import { listenOn } from '../../../../src-main/gateway/listener/loopbacks.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

function httpServer(): Server {
  const server = createServer((request, response) => response.end(`hello ${request.socket.localAddress}`))
  cleanups.push(() => server.closeAllConnections())
  return server
}

async function listen(options: { host: string; port?: number }, log = createRecordingLog()) {
  const listening = await listenOn(httpServer(), { host: options.host, port: options.port ?? 0, setting: 'port' }, log)
  cleanups.push(() => listening.close())
  return listening
}

/** What answers at one address, without a second look at the other one; the error's code where nothing does. */
function answerAt(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, autoSelectFamily: false })
    let text = ''
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.on('end', () => resolve(text.slice(text.indexOf('\r\n\r\n') + 4)))
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  })
}

async function held(host: string, port = 0): Promise<number> {
  const server = createTcpServer((socket) => socket.end()).listen(port, host)
  await once(server, 'listening')
  cleanups.push(() => server.close())
  return (server.address() as AddressInfo).port
}

test('the system is asked to hold more connections than it does by itself until they are taken', async () => {
  const server = httpServer()
  const asked = vi.spyOn(server, 'listen')
  const listening = await listenOn(server, { host: '127.0.0.1', port: 0, setting: 'port' }, createRecordingLog())
  cleanups.push(() => listening.close())
  expect(asked.mock.calls[0]?.[0]).toMatchObject({ backlog: 4_096 })
})

describe.skipIf(!hasIpv6)('a server on localhost (skipped where there is no ::1)', () => {
  test('a server on localhost answers on both loopback addresses, at one port', async () => {
    const { port, url } = await listen({ host: 'localhost' })
    expect(url).toBe(`http://127.0.0.1:${port}`)
    expect(await answerAt('127.0.0.1', port)).toBe('hello 127.0.0.1')
    expect(await answerAt('::1', port)).toBe('hello ::1')
  })

  test.each([
    ['127.0.0.1', '::1'],
    ['::1', '127.0.0.1'],
  ])('a server on %s alone does not answer on %s', async (host, other) => {
    const { port, url } = await listen({ host })
    expect(await answerAt(host, port)).toBe(`hello ${host}`)
    expect(await answerAt(other, port)).toBe('ECONNREFUSED')
    expect(url).toContain(host)
  })

  test('a server on localhost stays on 127.0.0.1 where another program has its port on ::1, and says so', async () => {
    const log = createRecordingLog()
    const port = await held('::1')
    await listen({ host: 'localhost', port }, log)
    expect(await answerAt('127.0.0.1', port)).toBe('hello 127.0.0.1')
    expect(log.lines.map(({ level, message }) => `${level} ${message}`).join()).toMatch(
      /^warn another program has this port on ::1/,
    )
  })

  test('a port that is taken on 127.0.0.1 is port_in_use, whatever holds it on ::1', async () => {
    const port = await held('127.0.0.1')
    await expect(listen({ host: 'localhost', port })).rejects.toMatchObject({ code: 'port_in_use', param: 'port' })
  })

  test('a free port is chosen that is free on both loopback addresses', async () => {
    const servers = Array.from({ length: 40 }, () => listen({ host: 'localhost' }))
    for (const { port } of await Promise.all(servers)) expect(await answerAt('::1', port)).toBe('hello ::1')
  })

  test('a stop lets an answer on ::1 end, accepts nothing more there, and cuts what is left', async () => {
    let end = (): void => undefined
    const listener = createLocalListener(
      {
        log: createRecordingLog(),
        handler: (_request, response) => {
          response.write('begun ')
          end = () => response.end('ended')
        },
      },
      { host: 'localhost', port: 0 },
    )
    await listener.start(new AbortController().signal)
    const port = Number(new URL(listener.url!).port)
    const running = fetch(`http://[::1]:${port}/`)
    const answer = await running
    const idle = connect({ host: '::1', port })
    await once(idle, 'connect')
    const draining = listener.drain(60_000)
    expect(await answerAt('::1', port)).toBe('ECONNREFUSED')
    end()
    expect(await answer.text()).toBe('begun ended')
    await draining
    const cut = once(idle, 'close')
    await listener.stop()
    await cut
  })

  test('a client that never sends its headers is cut on ::1 as well', async () => {
    const listener = createLocalListener(
      { log: createRecordingLog(), handler: (_request, response) => response.end() },
      { host: 'localhost', port: 0, headersTimeoutMs: 200 },
    )
    await listener.start(new AbortController().signal)
    cleanups.push(() => listener.stop())
    const socket = connect({ host: '::1', port: Number(new URL(listener.url!).port) })
    socket.write('GET / HTTP/1.1\r\n')
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 408 /)
    socket.destroy()
  })
})
