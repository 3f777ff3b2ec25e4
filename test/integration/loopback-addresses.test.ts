import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, describe, expect, test } from 'vitest'
import { runCli } from '../../src-main/cli/run.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { chat, modelIds } from '../fixtures/node-pair.js'
import { until } from '../fixtures/until.js'

const EVERYTHING = ['--all', '--with', 'everyone']

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function startNode(flags: Record<string, unknown> = {}): Promise<NodeInProcess> {
  const node = await startNodeInProcess({ flags })
  cleanups.push(() => node.stop())
  return node
}

interface ModelServer {
  port: number
  hosts: () => string[]
  close(): Promise<void>
}

/** A model server on one loopback address; `hosts` are the `Host` headers of its chats. */
async function startServer(host: string, port = 0): Promise<ModelServer> {
  const hosts: string[] = []
  const server: Server = createServer((request, response) => {
    request.resume()
    if (request.method === 'POST') hosts.push(request.headers.host ?? '')
    const list = { object: 'list', data: [{ id: 'loop-model', object: 'model' }] }
    const answer = { object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', content: host } }] }
    const isKnown = request.url === '/v1/models' || request.method === 'POST'
    response.writeHead(isKnown ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(request.method === 'POST' ? answer : list))
  }).listen(port, host)
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  cleanups.push(close)
  return { port: (server.address() as AddressInfo).port, hosts: () => hosts, close }
}

/** What `ocf …` prints and exits with, at a running node. */
async function ocf(node: NodeInProcess, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const never = () => Promise.reject(new Error('no node is started here'))
  const code = await runCli(argv, {
    io: {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
      env: {},
      folders: { data: '/nowhere', config: '/nowhere' },
      readPasted: () => Promise.resolve(undefined),
      onInterrupt: () => () => undefined,
    },
    handlers: { start: never, app: never, demo: never },
    connect: () => ({ ...node.control, dashboard: never }),
  })
  return { code, out, err }
}

async function answerOf(node: NodeInProcess): Promise<string> {
  const response = await chat(node.gateway, { model: 'loop-model' })
  const text = await response.text()
  if (!response.ok) return `${response.status} ${text}`
  return (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]!.message.content
}

/** The status at one address, as a program asks that does not try a second one. */
function statusAt(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, autoSelectFamily: false })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.on('data', (chunk: Buffer) => {
      resolve(chunk.toString().split(' ')[1] ?? '')
      socket.destroy()
    })
    socket.write(`GET / HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`)
  })
}

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

describe.skipIf(!hasIpv6)('loopback addresses (skipped where there is no ::1)', () => {
  test('gateway and dashboard answer on both loopback addresses by default', async () => {
    const node = await startNode()
    const ports = [Number(new URL(node.gateway).port), dashboardPort(node)]
    for (const port of ports) {
      for (const host of ['127.0.0.1', '::1']) expect(`${host} ${await statusAt(host, port)}`).not.toContain('ECONN')
    }
    const listed = await fetch(`http://[::1]:${ports[0]}/v1/models`)
    expect(listed.status).toBe(200)
  })

  test.each([
    ['127.0.0.1', '::1'],
    ['::1', '127.0.0.1'],
  ])('a gateway with --host %s is not on %s, and asks for no key', async (host, other) => {
    const one = await startNode({ host })
    const port = Number(new URL(one.gateway).port)
    expect(await statusAt(host, port)).toBe('200')
    expect(await statusAt(other, port)).toBe('ECONNREFUSED')
  })

  test.each([
    ['its port', (port: number) => [`${port}`]],
    ['localhost and its port', (port: number) => [`localhost:${port}`]],
    ['a URL', (port: number) => [`http://localhost:${port}/v1`]],
    ['[::1] and its port', (port: number) => [`[::1]:${port}`]],
    ['--host localhost', (port: number) => [`${port}`, '--host', 'localhost']],
  ])('a model server on ::1 alone is shared by %s', async (_name, args) => {
    const server = await startServer('::1')
    const one = await startNode()
    const shared = await ocf(one, 'share', ...args(server.port), ...EVERYTHING)
    expect(shared).toMatchObject({ code: 0, err: '' })
    expect(shared.out).toContain(`at [::1]:${server.port} with everyone.`)
    await until(async () => (await modelIds(one.gateway)).includes('loop-model'), { what: 'the model is listed' })
    expect(await answerOf(one)).toBe('::1')
    const again = await ocf(one, 'share', ...args(server.port), ...EVERYTHING)
    expect(again.code).toBe(0)
    expect(await one.control.call('shares.list', {})).toHaveLength(1)
    expect(await ocf(one, 'unshare', ...args(server.port).slice(0, 1))).toMatchObject({ code: 0, err: '' })
    expect(await one.control.call('shares.list', {})).toEqual([])
  })

  test('a model server on 127.0.0.1 alone is shared by its port and by localhost', async () => {
    const server = await startServer('127.0.0.1')
    const one = await startNode()
    for (const address of [`${server.port}`, `localhost:${server.port}`, `http://127.0.0.1:${server.port}`]) {
      const { out } = await ocf(one, 'share', address, ...EVERYTHING)
      expect(out).toContain(`at 127.0.0.1:${server.port} with everyone.`)
    }
    expect(await one.control.call('shares.list', {})).toHaveLength(1)
  })

  test('a model server on ::1 alone is found by --service.port', async () => {
    const server = await startServer('::1')
    const one = await startNode({ 'service.name': 'llm', 'service.port': String(server.port) })
    await until(async () => (await modelIds(one.gateway)).includes('loop-model'), { what: 'the model is listed' })
    expect(await answerOf(one)).toBe('::1')
  })

  test('a shared server that comes back on the other loopback address is asked there', async () => {
    const first = await startServer('127.0.0.1')
    const one = await startNode()
    expect((await ocf(one, 'share', `${first.port}`, ...EVERYTHING)).code).toBe(0)
    await until(async () => (await modelIds(one.gateway)).includes('loop-model'), { what: 'the model is listed' })
    await first.close()
    await startServer('::1', first.port)
    await until(async () => (await answerOf(one)) === '::1', { what: 'it is asked on ::1', limitMs: 30_000 })
    await until(async () => (await one.control.call('shares.list', {}))[0]?.status === 'connected', {
      what: 'its health check finds it there',
      limitMs: 30_000,
    })
  })

  test('where nothing listens on either loopback address, ocf share says so', async () => {
    const server = await startServer('::1')
    await server.close()
    const one = await startNode()
    const { code, err } = await ocf(one, 'share', `${server.port}`)
    expect(code).toBe(1)
    expect(err).toContain(`There is no model server at localhost:${server.port}: nothing listens there.`)
  })

  test('an address typed in as localhost is listed as the one that answers, and can be taken out again', async () => {
    const server = await startServer('::1')
    const { port } = server
    const one = await startNode()
    await server.close()
    expect(await one.control.call('detection.type-in', { port })).toMatchObject({
      state: 'not-found',
      host: 'localhost',
    })
    await startServer('::1', port)
    const found = (await one.control.call('detection.scan', {})).filter((seen) => seen.port === port)
    expect(found).toMatchObject([{ address: `[::1]:${port}`, state: 'ready' }])
    expect(await one.control.call('detection.forget', { address: `[::1]:${port}` })).toEqual({ forgotten: true })
    const after = await one.control.call('detection.list', {})
    expect(after.filter((seen) => seen.port === port)).toEqual([])
  })
})

function dashboardPort(node: NodeInProcess): number {
  return Number(/the dashboard is ready.*?:(\d+)/.exec(node.log())?.[1])
}
