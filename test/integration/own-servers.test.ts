import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ControlFile } from '../../src-main/api/http/control-file.js'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, llmFlags, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const MODEL = 'twice'

/** A server whose answers wait for as long as `hold` says, and have that status. */
interface Server {
  fixture: ModelServerFixture
  held: Set<() => void>
  hold: boolean
  status: number
}

let owner: NodeProcess
let user: NodeProcess
let one: Server
let two: Server

async function startServer(port?: number): Promise<Server> {
  const server: Omit<Server, 'fixture'> = { held: new Set(), hold: false, status: 200 }
  const fixture = await startModelServer({
    models: [MODEL],
    ...(port === undefined ? {} : { port }),
    async answer(request, response) {
      await readBody(request)
      if (server.hold) await new Promise<void>((resolve) => server.held.add(resolve))
      response.writeHead(server.status, { 'content-type': 'application/json' }).end('{}')
    },
  })
  return Object.assign(server, { fixture })
}

async function register(port: number): Promise<void> {
  const { token } = JSON.parse(await readFile(join(owner.dataDir, 'control.json'), 'utf8')) as ControlFile
  const response = await fetch(`${owner.gateway}/v1/dnt/_node`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'llm', port }),
  })
  expect(response.status).toBe(201)
}

beforeAll(async () => {
  ;[one, two] = await Promise.all([startServer(), startServer()])
  owner = await startNodeProcess({ flags: ['--demo-model', 'off', ...llmFlags(one.fixture.port)] })
  await register(two.fixture.port)
  user = await startNodeProcess({ flags: [...flagsToJoin(owner), '--demo-model', 'off'] })
  await untilListed(user.gateway, MODEL)
  await bothConnected()
})

afterEach(() => {
  for (const server of [one, two]) {
    server.hold = false
    server.status = 200
    for (const release of server.held) release()
    server.held.clear()
  }
})

afterAll(async () => {
  await user.stop()
  await owner.stop()
  await Promise.all([one, two].map(({ fixture }) => fixture.close()))
})

async function bothConnected(): Promise<void> {
  const { url, token } = JSON.parse(await readFile(join(owner.dataDir, 'control.json'), 'utf8')) as ControlFile
  await until(
    async () => {
      const response = await fetch(`${url}/api/call/services.list`, {
        ...{ method: 'POST', body: '{}' },
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      })
      const services = (await response.json()) as { status: string }[]
      return services.filter(({ status }) => status === 'connected').length === 2
    },
    { what: 'both servers are connected', limitMs: 20_000 },
  )
}

const ASKERS: [name: string, node: () => NodeProcess][] = [
  ['the owner’s own requests', () => owner],
  ['a peer’s requests', () => user],
]

async function askFrom({ gateway }: NodeProcess): Promise<number> {
  const response = await chat(gateway, { model: MODEL })
  await response.text()
  return response.status
}

// Before any of them fails: a server that did a moment ago is asked last.
test.each(ASKERS)('%s at the same time are spread over own servers with the same model', async (_name, asker) => {
  one.hold = two.hold = true
  const answers = [askFrom(asker()), askFrom(asker())]
  await until(() => one.held.size === 1 && two.held.size === 1, { what: 'each server has one of them' })
  for (const server of [one, two]) for (const release of server.held) release()
  expect(await Promise.all(answers)).toEqual([200, 200])
})

describe.each(ASKERS)('of two own servers with one model, for %s', (_name, asker) => {
  const ask = (): Promise<number> => askFrom(asker())

  test.each([429, 502, 503])('an own server that answers %i is passed over for the next own one', async (status) => {
    one.status = status
    for (let turn = 0; turn < 4; turn += 1) expect(await ask()).toBe(200)
  })

  test('an own server that stopped is passed over for the next own one, and no client hears of it', async () => {
    const { port } = one.fixture
    await one.fixture.close()
    for (let turn = 0; turn < 4; turn += 1) expect(await ask()).toBe(200)
    one = await startServer(port)
    await bothConnected()
  })
})

test('a server that is back is asked although the node took it for dead', async () => {
  const ports = [one, two].map(({ fixture }) => fixture.port)
  await Promise.all([one, two].map(({ fixture }) => fixture.close()))
  const ask = async (): Promise<number> => (await chat(owner.gateway, { model: MODEL })).status
  await until(async () => (await ask()) === 503, { what: 'the node knows that both are gone', limitMs: 10_000 })
  // Long enough that checks are far apart.
  for (let turn = 0; turn < 8; turn += 1) expect(await ask()).toBe(503)
  ;[one, two] = await Promise.all([startServer(ports[0]), startServer(ports[1])])
  expect(await ask()).toBe(200)
})
