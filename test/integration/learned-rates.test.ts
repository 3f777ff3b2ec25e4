import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, llmFlags } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const MODEL = 'unequal'
const KIB = 16
/** What each server takes to read a KiB of a prompt, ms. */
const READ_MS = { fast: 1, slow: 40 }
const SECRET = 'nobody-may-read-this'

let dataDir: string
let user: NodeProcess | undefined
let fast: NodeProcess
let slow: NodeProcess
const servers: ModelServerFixture[] = []
let asked = 0

async function startProvider(readMs: number, flags: string[]): Promise<NodeProcess> {
  const server = await startModelServer({
    models: [MODEL],
    async answer(request, response) {
      const { length } = await readBody(request)
      await pause((length / 1024) * readMs)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    },
  })
  servers.push(server)
  return await startNodeProcess({ flags: ['--demo-model', 'off', ...flags, ...llmFlags(server.port)] })
}

async function startUser(): Promise<NodeProcess> {
  const node = await startNodeProcess({ dataDir, flags: ['--demo-model', 'off', ...flagsToJoin(fast)] })
  await until(
    async () => {
      const { data } = (await (await fetch(`${node.gateway}/v1/models`)).json()) as {
        data: { id: string; ocf: { providers: number } }[]
      }
      return data.find(({ id }) => id === MODEL)?.ocf.providers === 2
    },
    { what: 'both providers are known', limitMs: 30_000 },
  )
  return node
}

/** What this node expected each of the two to take to read a prompt of {@link KIB}, ms. */
async function expectedMs(node: NodeProcess, prefer?: NodeProcess): Promise<{ fast: number; slow: number }> {
  asked += 1
  const content = `${asked} ${SECRET} `.padEnd(KIB * 1024, 'word ')
  const headers = {
    'content-type': 'application/json',
    ...(prefer === undefined ? {} : { 'x-ocf-prefer': prefer.peerId }),
  }
  const response = await chat(node.gateway, { model: MODEL, messages: [{ role: 'user', content }] }, { headers })
  await response.text()
  expect(response.status).toBe(200)
  const route = response.headers.get('x-ocf-route') ?? ''
  const of = ({ peerId }: NodeProcess): number =>
    Number(new RegExp(`${peerId.slice(-6)};ms=\\d+;read=(\\d+)`).exec(route)?.[1])
  return { fast: of(fast), slow: of(slow) }
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
  fast = await startProvider(READ_MS.fast, [])
  slow = await startProvider(READ_MS.slow, flagsToJoin(fast))
})

afterAll(async () => {
  await user?.stop()
  for (const node of [fast, slow]) await node.stop()
  for (const server of servers) await server.close()
  await rm(dataDir, { recursive: true, force: true })
})

test('a node that starts again knows how fast its providers were, and keeps nothing of what was asked', async () => {
  user = await startUser()
  for (let times = 0; times < 4; times += 1) for (const provider of [fast, slow]) await expectedMs(user, provider)
  const before = await expectedMs(user)
  expect(before.slow).toBeGreaterThan(2 * before.fast)
  await user.stop()
  const kept = await readFile(join(dataDir, 'learned-rates.json'), 'utf8')
  expect(kept).not.toContain(SECRET)
  user = await startUser()
  const after = await expectedMs(user)
  expect(after.slow).toBeGreaterThan(2 * after.fast)
  expect(after.slow / before.slow).toBeGreaterThan(0.5)
  expect(after.slow / before.slow).toBeLessThan(2)
})

test('a node whose file of learned rates is broken starts, and learns anew', async () => {
  await user?.stop()
  await writeFile(join(dataDir, 'learned-rates.json'), '{"version":1,"rates":[{"peer":')
  user = await startUser()
  const { fast: one, slow: other } = await expectedMs(user)
  expect(one).toBe(other)
  for (let times = 0; times < 4; times += 1) await expectedMs(user, slow)
  await user.stop()
  expect(JSON.parse(await readFile(join(dataDir, 'learned-rates.json'), 'utf8'))).toMatchObject({ version: 1 })
})
