import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client } from '#shared/contract/client.js'
import type { Visibility } from '#shared/contract/sharing/visibility.js'
import { createControlClient } from '../../src-main/api/client.js'
import { readBody, sseChunk, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, modelIds, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

// One node shares three models: with everyone, with the peers it trusts, and with nobody. Two of six others are trusted.

const OPEN = 'open-model'
const SECRET = 'secret-model-7f3a9c'
const MINE = 'mine-model-51e2d0'
const UNKNOWN = 'absent-model-7f3a9c'
const HOOK = fileURLToPath(new URL('../fixtures/heard-bytes.mjs', import.meta.url))

let server: ModelServerFixture
let provider: NodeProcess
let friends: NodeProcess[]
let strangers: NodeProcess[]
let folder: string
const started: NodeProcess[] = []

const controlOf = ({ dataDir }: NodeProcess): Pick<Client, 'call'> =>
  createControlClient({ controlFile: join(dataDir, 'control.json') })
const heardBy = (index: number): string => join(folder, `heard-${index}`)
const idOf = (): string => `llm@127.0.0.1:${server.port}`

async function startNode(options: Parameters<typeof startNodeProcess>[0] = {}): Promise<NodeProcess> {
  const node = await startNodeProcess({ ...options, flags: ['--demo-model', 'off', ...(options.flags ?? [])] })
  started.push(node)
  return node
}

const startProvider = (): Promise<NodeProcess> =>
  startNode({ dataDir: join(folder, 'provider'), flags: flagsToJoin(friends[0]!) })

const trusts = (node: NodeProcess, ...peers: NodeProcess[]): Promise<unknown> =>
  controlOf(node).call('settings.set', {
    name: 'trusted-peers',
    value: peers.map(({ peerId }) => peerId).join(',') || null,
  })

const make = (model: string, visibility: Visibility): Promise<unknown> =>
  controlOf(provider).call('shares.setVisibility', { id: idOf(), model, visibility })

/** A request of this node to the provider itself, whatever its own list says. */
const viaPeer = (node: NodeProcess, path: string, init?: RequestInit): Promise<Response> =>
  fetch(`${node.gateway}/v1/p2p/${provider.peerId}${path}`, init)

const ask = (node: NodeProcess, model: string): Promise<Response> =>
  viaPeer(node, '/v1/_service/llm/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
  })

/** A stream that runs until it is ended, and what came on it; resolves once its first byte is here. */
async function running(node: NodeProcess, model: string): Promise<{ text: Promise<string> }> {
  const response = await chat(node.gateway, { model, stream: true })
  expect(response.status).toBe(200)
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let text = decoder.decode((await reader.read()).value)
  const rest = async (): Promise<string> => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text
      text += decoder.decode(value)
    }
  }
  return { text: rest().catch((error: unknown) => `${text} cut: ${String(error)}`) }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocf-visibility-'))
  await mkdir(join(folder, 'provider'), { mode: 0o700 })
  server = await startModelServer({
    models: [OPEN, SECRET, MINE],
    async answer(request, response) {
      if (request.method !== 'POST') return void response.writeHead(404).end()
      const { stream } = JSON.parse((await readBody(request)).toString()) as { stream?: boolean }
      if (stream !== true) {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(sseChunk('first'))
    },
  })
  const first = await startNode()
  friends = [first, await startNode({ flags: flagsToJoin(first) })]
  provider = await startProvider()
  strangers = await Promise.all(
    [0, 1, 2, 3].map((index) =>
      startNode({
        flags: flagsToJoin(provider),
        nodeFlags: ['--import', HOOK],
        env: { HEARD_BYTES: heardBy(index) },
      }),
    ),
  )
  await trusts(provider, ...friends)
  for (const friend of friends) await trusts(friend, provider)
  await controlOf(provider).call('shares.add', {
    port: server.port,
    models: 'all',
    visibilities: [
      { model: OPEN, visibility: 'everyone' },
      { model: SECRET, visibility: 'trusted' },
    ],
  })
}, 180_000)

afterAll(async () => {
  await Promise.all(started.map((node) => node.stop()))
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

test('trusted peers see and use what is for them, strangers what is for everyone, the owner all of it', async () => {
  for (const friend of friends) await untilListed(friend.gateway, SECRET)
  for (const stranger of strangers) await untilListed(stranger.gateway, OPEN)
  expect((await modelIds(provider.gateway)).sort()).toEqual([MINE, OPEN, SECRET])
  for (const friend of friends) {
    await untilListed(friend.gateway, OPEN)
    expect((await modelIds(friend.gateway)).sort()).toEqual([OPEN, SECRET])
    const models = await controlOf(friend).call('models.list', {})
    expect(models.map(({ id, providers: [one] }) => [id, one?.trusted, one?.visibility])).toEqual([
      [OPEN, true, 'everyone'],
      [SECRET, true, 'trusted'],
    ])
    const answer = await chat(friend.gateway, { model: SECRET })
    expect([answer.status, answer.headers.get('x-computing-node')]).toEqual([200, provider.peerId])
    expect((await ask(friend, MINE)).status).toBe(404)
  }
  for (const stranger of strangers) {
    expect(await modelIds(stranger.gateway)).toEqual([OPEN])
    expect((await chat(stranger.gateway, { model: OPEN })).status).toBe(200)
  }
  expect((await chat(provider.gateway, { model: MINE })).status).toBe(200)
})

test('no byte that a stranger gets holds the name of a model that is not for everyone', async () => {
  const [one] = strangers
  // Whatever a stranger can ask a peer for, without saying the name itself.
  const paths = ['/v1/models', '/v1/models/secret-model', '/v1/_service/llm/v1/models', '/v1/dnt/table?all=1']
  paths.push('/v1/dnt/peers_status', '/v1/health', '/metrics', '/v1/dnt/stats', '/')
  for (const stranger of strangers) {
    for (const path of paths) await (await viaPeer(stranger, path)).text()
    await (await ask(stranger, 'secret-model')).text()
    await (await chat(stranger.gateway, { model: 'secret-model' })).text()
  }
  await until(async () => (await modelIds(one!.gateway)).includes(OPEN), { what: 'the open one is still listed' })
  for (const index of strangers.keys()) {
    const heard = (await readFile(heardBy(index))).toString('latin1')
    expect(heard).toContain(OPEN)
    expect(heard).not.toContain(SECRET)
    expect(heard).not.toContain(MINE)
  }
})

test('a stranger that asks for such a model by its name is answered as for one that does not exist', async () => {
  const [, stranger] = strangers
  for (const hidden of [SECRET, MINE]) {
    const absent = UNKNOWN.slice(0, hidden.length)
    const told = async (model: string): Promise<unknown[][]> => {
      const responses = [await ask(stranger!, model), await viaPeer(stranger!, `/v1/models/${model}`)]
      return Promise.all(
        responses.map(async (response) => [
          response.status,
          [...response.headers.keys()].sort(),
          (await response.text()).replaceAll(model, '…').replace(/"request_id":"[^"]*"/, ''),
        ]),
      )
    }
    expect(await told(hidden)).toEqual(await told(absent))
    expect((await told(hidden)).map(([status]) => status)).toEqual([404, 404])
  }
})

describe('what is closed to somebody', () => {
  test('ends what it was running when a model becomes narrower, and leaves its list', async () => {
    const [friend] = friends
    const [stranger] = strangers
    const theirs = await running(friend!, SECRET)
    await make(SECRET, 'me')
    expect(await theirs.text).toContain('error')
    expect((await ask(friend!, SECRET)).status).toBe(404)
    await until(async () => !(await modelIds(friend!.gateway)).includes(SECRET), { what: 'it is no longer listed' })
    expect((await chat(provider.gateway, { model: SECRET })).status).toBe(200)

    const strange = await running(stranger!, OPEN)
    const trusted = await running(friend!, OPEN)
    await make(OPEN, 'trusted')
    expect(await strange.text).toContain('error')
    await until(async () => !(await modelIds(stranger!.gateway)).includes(OPEN), { what: 'it is no longer listed' })
    await until(async () => (await modelIds(friend!.gateway)).includes(OPEN), { what: 'the trusted one keeps it' })

    // Who is no longer trusted is a stranger from then on.
    await trusts(provider, friends[1]!)
    expect(await trusted.text).toContain('error')
    await until(async () => !(await modelIds(friend!.gateway)).includes(OPEN), {
      what: 'it leaves the list of the one who is no longer trusted',
      limitMs: 10_000,
    })
    expect((await ask(friend!, OPEN)).status).toBe(404)
    expect((await ask(friends[1]!, OPEN)).status).toBe(200)
  })

  test('stays closed after a restart, where strangers find no model server at all', async () => {
    await provider.stop()
    provider = await startProvider()
    const [share] = await controlOf(provider).call('shares.list', {})
    expect(Object.fromEntries(share!.choices.map(({ model, visibility }) => [model, visibility]))).toEqual({
      [OPEN]: 'trusted',
      [SECRET]: 'me',
      [MINE]: 'me',
    })
    await until(async () => (await modelIds(provider.gateway)).length === 3, { what: 'the owner has all three' })
    const row = (await controlOf(provider).call('table.rows', { all: true })).find(({ self }) => self)
    expect(row?.record.service).toEqual([])
    const [stranger] = strangers
    await until(async () => (await ask(stranger!, OPEN)).status === 404, { what: 'the stranger reaches it' })
  })
})
