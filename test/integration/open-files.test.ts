import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { Agent, request, type IncomingMessage, type RequestOptions } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { DoctorReport } from '#shared/contract/node/doctor.js'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startNodeProcess, type NodeProcess, type NodeProcessOptions } from '../fixtures/node-process.js'

const reason = whyNoPrlimit()
if (reason !== undefined) process.stdout.write(`skipped: ${reason}\n`)

function whyNoPrlimit(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has prlimit'
  try {
    execFileSync('prlimit', ['--nofile=4096:4096', 'true'])
    return undefined
  } catch (error) {
    return `prlimit cannot be used here (${String(error)})`
  }
}

const SILENT = 1_324
const REOPEN_PER_S = 100

let server: ModelServerFixture
beforeAll(async () => {
  server = await startModelServer({
    async answer(request, response) {
      await readBody(request)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
    },
  })
})
afterAll(() => server.close())

const children: ChildProcess[] = []
const nodes: NodeProcess[] = []
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const node of nodes.splice(0)) await node.kill()
})

async function start(options: NodeProcessOptions): Promise<NodeProcess> {
  const service = ['--service.name', 'llm', '--service.port', String(server.port)]
  const node = await startNodeProcess({ ...options, flags: ['--demo-model', 'off', '--mode', 'local', ...service] })
  nodes.push(node)
  await expect.poll(async () => (await modelsOf(node)).length).toBe(1)
  return node
}

async function modelsOf(node: NodeProcess): Promise<unknown[]> {
  const { data } = (await (await fetch(`${node.gateway}/v1/models`)).json()) as { data: unknown[] }
  return data
}

/** Connections that say nothing, from a process with descriptors of its own. */
async function attack(port: number): Promise<ChildProcess> {
  const fixture = fileURLToPath(new URL('../fixtures/silent-clients.mjs', import.meta.url))
  const args = [process.execPath, fixture, '127.0.0.1', port, SILENT, REOPEN_PER_S].map(String)
  const child = spawn('prlimit', ['--nofile=4096:4096', ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  expect(line).toMatch(/^attacked \d+$/)
  return child
}

const openFilesOf = ({ pid }: NodeProcess): number => readdirSync(`/proc/${pid}/fd`).length

function portsOf(node: NodeProcess): Record<string, number> {
  const of = (wanted: (address: string) => boolean): number => Number(node.multiaddrs.find(wanted)?.split('/')[4])
  return {
    gateway: Number(new URL(node.gateway).port),
    dashboard: Number(new URL(node.dashboard).port),
    TCP: of((address) => address.includes('/tcp/') && !address.includes('/ws')),
    WebSocket: of((address) => address.includes('/ws')),
  }
}

/** What the owner's own apps and browser ask. */
async function useIt(node: NodeProcess): Promise<void> {
  expect((await fetch(`${node.gateway}/v1/health`)).status).toBe(200)
  expect(await modelsOf(node)).toHaveLength(1)
  const chat = await fetch(`${node.gateway}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'hello' }] }),
  })
  expect(chat.status).toBe(200)
  await chat.text()
  expect((await fetch(new URL('/', node.dashboard))).status).toBe(200)
}

describe.skipIf(reason !== undefined)('a node that may open few files', () => {
  test.each(
    [1_024, 256].flatMap((limit) => ['gateway', 'dashboard', 'TCP', 'WebSocket'].map((name) => ({ limit, name }))),
  )(
    'silent connections to the $name listener neither end a node with $limit open files nor keep its owner out',
    async ({ limit, name }) => {
      const node = await start({ through: ['prlimit', `--nofile=${limit}:${limit}`] })
      await useIt(node)
      const before = openFilesOf(node)
      const attacker = await attack(portsOf(node)[name]!)
      for (let round = 0; round < 20; round += 1) {
        await useIt(node)
        expect(openFilesOf(node)).toBeLessThan(limit - 8)
      }
      expect(node.stderr()).toMatch(/as many connections as (?:it )?may/)
      attacker.kill('SIGKILL')
      await expect.poll(() => openFilesOf(node)).toBeLessThanOrEqual(before + 4)
      await useIt(node)
      expect(node.stderr()).not.toMatch(/EMFILE|ENFILE/)
      nodes.splice(0)
      expect((await node.stop()).code).toBe(0)
    },
  )
})

describe.skipIf(reason !== undefined)('a node that has run out of descriptors', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  afterAll(() => agent.destroy())

  /** Over one connection that is open already. */
  async function over(
    url: string,
    options: RequestOptions,
    body = '',
  ): Promise<{ status: number | undefined; text: string }> {
    const asked = request(url, { ...options, agent })
    asked.end(body)
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
    return { status: response.statusCode, text: Buffer.concat(chunks).toString() }
  }

  /** Over a new connection, which none can be accepted for yet. */
  async function overNew(url: string): Promise<number | undefined> {
    const [response] = (await once(request(url, { agent: false }).end(), 'response')) as [IncomingMessage]
    response.resume()
    return response.statusCode
  }

  test('a node whose last descriptor is gone lives, answers what is connected, and takes new ones when some are free', async () => {
    const node = await start({})
    const dashboard = new URL(node.dashboard)
    const token = dashboard.hash.replace('#token=', '')
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const examine = () => over(`${dashboard.origin}/api/call/doctor.run`, { method: 'POST', headers }, '{}')
    expect((await examine()).status).toBe(200)

    const highest = Math.max(...readdirSync(`/proc/${node.pid}/fd`).map(Number))
    const limitTo = (limit: number): void =>
      void execFileSync('prlimit', ['--pid', String(node.pid), `--nofile=${limit}:4096`])
    // A new descriptor would need a number below it.
    limitTo(3)
    const waiting = overNew(`${node.gateway}/v1/health`)
    const examined = await examine()
    expect(examined.status).toBe(200)
    expect((JSON.parse(examined.text) as DoctorReport).checks.map(({ id }) => id)).toContain('open-files')
    expect(node.stderr()).toContain('the network interfaces cannot be read')

    limitTo(highest + 100)
    expect(await waiting).toBe(200)
    await useIt(node)
    nodes.splice(0)
    expect((await node.stop()).code).toBe(0)
  })
})

describe('a node whose network interfaces cannot be read', () => {
  const failing = (failAfter: number, errno: number): NodeProcessOptions => ({
    nodeFlags: ['--import', new URL('../fixtures/failing-interfaces.mjs', import.meta.url).href],
    env: { INTERFACES_FAIL_AFTER: String(failAfter), INTERFACES_ERRNO: String(errno) },
  })

  test.each([24, 13, 97])(
    'a node that never could read its network interfaces (%i) starts and answers',
    async (errno) => {
      const node = await start({ ...failing(0, errno), p2pHost: '0.0.0.0' })
      expect(node.multiaddrs.join()).toContain('/ip4/127.0.0.1/tcp/')
      expect(node.stderr()).toContain('the network interfaces cannot be read')
      await useIt(node)
    },
  )

  test('a node that can no longer read its network interfaces keeps the addresses it had', async () => {
    const node = await start({ ...failing(12, 24), p2pHost: '0.0.0.0' })
    await expect.poll(() => node.stderr()).toContain('the network interfaces cannot be read')
    await useIt(node)
    const bootstraps = await (await fetch(`${node.gateway}/v1/dnt/bootstraps`)).text()
    expect(bootstraps).toContain(node.peerId)
  })
})
