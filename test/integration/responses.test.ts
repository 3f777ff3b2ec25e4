import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { type NodeInProcess, startNodeInProcess } from '../fixtures/node-in-process.js'
import { flagsToJoin, llmFlags, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

/** A asks; B and C each have a server of the same model, which keeps its responses, as vLLM does. */
let a: NodeProcess
let providers: { node: NodeProcess; server: ModelServerFixture }[]

async function startKeeper(): Promise<ModelServerFixture> {
  const kept = new Set<string>()
  return await startModelServer({
    models: ['m'],
    answer: async (request, response) => {
      const say = (status: number, value: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      }
      const [, id, rest] = /^\/v1\/responses\/([^/?]+)(?:\/(\w+))?/.exec(request.url ?? '') ?? []
      if (id !== undefined) {
        const isKept = request.method === 'DELETE' ? kept.delete(id) : kept.has(id)
        say(isKept ? 200 : 404, { id, object: rest === 'input_items' ? 'list' : 'response', url: request.url })
        return
      }
      const asked = JSON.parse((await readBody(request)).toString()) as Asked
      if (asked.previous_response_id !== undefined && !kept.has(asked.previous_response_id)) {
        say(404, { error: { message: 'not kept here' } })
        return
      }
      const made = { id: `resp_${randomUUID()}`, object: 'response', model: 'm', output: [{ id: 'msg_1' }] }
      kept.add(made.id)
      if (asked.stream !== true) {
        say(200, made)
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const type of ['response.created', 'response.completed']) {
        response.write(`event: ${type}\ndata: ${JSON.stringify({ type, response: made })}\n\n`)
      }
      response.end()
    },
  })
}
interface Asked {
  previous_response_id?: string
  stream?: boolean
}

beforeAll(async () => {
  a = await startNodeProcess({ flags: ['--demo-model', 'off'] })
  providers = await Promise.all(
    [1, 2].map(async () => {
      const server = await startKeeper()
      const flags = [...flagsToJoin(a), '--demo-model', 'off', ...llmFlags(server.port)]
      return { server, node: await startNodeProcess({ flags }) }
    }),
  )
  await untilListed(a.gateway, 'm')
  const providersOf = async (): Promise<unknown> => {
    const model = (await (await fetch(`${a.gateway}/v1/models/m`)).json()) as { ocf?: { providers: number } }
    return model.ocf?.providers
  }
  await until(async () => (await providersOf()) === 2, { what: 'A lists both' })
})

afterAll(async () => {
  for (const { node, server } of providers) {
    await node.stop()
    await server.close()
  }
  await a.stop()
})

const ask = (body: Asked, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${a.gateway}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'm', input: 'x', ...body }),
  })
const idIn = async (response: Response): Promise<string> => /resp_[\w-]+/.exec(await response.text())?.[0] ?? 'none'
const peerOf = (response: Response): string => response.headers.get('x-computing-node') ?? ''

describe('a response that its provider keeps', () => {
  test.each([false, true])('is gone on from at that provider, made as a stream: %s', async (stream) => {
    const seen = new Set<string>()
    for (let round = 0; round < 6; round += 1) {
      // The one that did not answer last time is to begin the next conversation.
      const exclude = [...seen].at(-1)
      const first = await ask({ stream }, exclude === undefined ? {} : { 'x-ocf-exclude': exclude })
      const id = await idIn(first)
      const second = await ask({ stream, previous_response_id: id })
      expect([second.status, peerOf(second)]).toEqual([200, peerOf(first)])
      const third = await ask({ previous_response_id: await idIn(second) })
      expect([third.status, peerOf(third)]).toEqual([200, peerOf(first)])
      seen.delete(peerOf(first))
      seen.add(peerOf(first))
    }
    expect(seen.size).toBe(2)
  })

  test('is fetched and deleted where it is kept, by who had it made alone', async () => {
    const made = await ask({})
    const id = await idIn(made)
    const at = (gateway: string) => `${gateway}/v1/responses/${id}`
    const fetched = await fetch(at(a.gateway))
    expect([fetched.status, peerOf(fetched)]).toEqual([200, peerOf(made)])
    expect(await fetched.json()).toMatchObject({ id, object: 'response' })
    const stranger = providers.find(({ node }) => node.peerId !== peerOf(made))!.node
    const asPeer = await fetch(`${stranger.gateway}/v1/p2p/${peerOf(made)}/v1/_service/llm/v1/responses/${id}`)
    expect([asPeer.status, (await asPeer.text()).includes('does not share this path')]).toEqual([403, true])
    expect((await fetch(at(stranger.gateway))).status).toBe(404)
    expect((await fetch(at(a.gateway), { method: 'DELETE' })).status).toBe(200)
    expect((await fetch(at(a.gateway))).status).toBe(404)
  })

  test('is unknown by any other id, which says so', async () => {
    const response = await fetch(`${a.gateway}/v1/responses/resp_unknown`)
    expect(response.status).toBe(404)
    expect(await response.text()).toContain('does not know who keeps')
    expect((await ask({ previous_response_id: 'resp_unknown' })).status).toBe(404)
  })

  test('is not gone on from elsewhere while its provider is away, which is said plainly', async () => {
    const made = await ask({})
    const id = await idIn(made)
    const keeper = providers.find(({ node }) => node.peerId === peerOf(made))!
    await keeper.node.stop()
    const body = async (response: Response): Promise<[number, boolean]> => [
      response.status,
      (await response.text()).includes(`kept by the peer ${peerOf(made)}`),
    ]
    await expect.poll(() => ask({ previous_response_id: id }).then(body)).toEqual([503, true])
    await expect.poll(() => fetch(`${a.gateway}/v1/responses/${id}`).then(body)).toEqual([503, true])
    expect((await ask({})).status).toBe(200)
  })
})

describe('a response that one of several servers of a provider keeps', () => {
  let user: NodeInProcess
  let provider: NodeInProcess
  let servers: ModelServerFixture[]

  beforeAll(async () => {
    user = await startNodeInProcess()
    provider = await startNodeInProcess({ flags: { 'bootstrap.sources': [`${user.gateway}/v1/dnt/bootstraps`] } })
    servers = await Promise.all([startKeeper(), startKeeper(), startKeeper()])
    for (const { port } of servers) {
      await provider.control.call('shares.add', { port, models: 'all', visibility: 'everyone' })
    }
    await untilListed(user.gateway, 'm')
  })

  afterAll(async () => {
    await user.stop()
    await provider.stop()
    for (const server of servers) await server.close()
  })

  test.each([
    ['a peer’s client', () => user, '/v1/responses'],
    ['a peer’s client by the long path', () => user, '/v1/service/llm/v1/responses'],
    ['a client of its own node', () => provider, '/v1/responses'],
    ['a client of its own service', () => provider, '/v1/_service/llm/v1/responses'],
  ])('is gone on from at that server, for %s', async (_who, node, path) => {
    const { gateway } = node()
    const askAt = (body: object): Promise<Response> =>
      fetch(gateway + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', input: 'x', ...body }),
      })
    for (let round = 0; round < 4; round += 1) {
      // Some at once, so that each server gets one.
      const ids = await Promise.all([1, 2, 3].map(async () => await idIn(await askAt({}))))
      const answers = await Promise.all(ids.map((id) => askAt({ previous_response_id: id })))
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    }
  })

  test('is cancelled there, and what it was made from listed', async () => {
    const made = await fetch(`${user.gateway}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"model":"m","input":"x"}',
    })
    const id = await idIn(made)
    for (const [method, path, body] of [
      ['POST', `/v1/responses/${id}/cancel`],
      ['POST', `/v1/responses/${id}/cancel`, '{}'],
      ['GET', `/v1/responses/${id}/input_items?limit=2`],
      ['GET', `/v1/responses/${id}`],
      ['DELETE', `/v1/responses/${id}`],
    ] as const) {
      const response = await fetch(user.gateway + path, { method, ...(body === undefined ? {} : { body }) })
      expect([path, response.status, peerOf(response)]).toEqual([path, 200, provider.peerId])
      expect(await response.json()).toMatchObject({ id, url: path })
    }
    const other = await fetch(`${user.gateway}/v1/responses/resp_unknown/cancel`, { method: 'POST' })
    expect([other.status, await other.text()]).toEqual([404, expect.stringContaining('does not know') as string])
  })
})
