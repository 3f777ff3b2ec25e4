import { afterAll, beforeAll, expect, test } from 'vitest'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, llmFlags } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

const MODEL = 'of-two-lengths'
/** Tokens that the two servers take. */
const CONTEXTS = [8_192, 65_536]

let user: NodeProcess
let providers: { node: NodeProcess; server: ModelServerFixture; asked: number[] }[]

async function startProvider(contextTokens: number): Promise<(typeof providers)[number]> {
  const asked: number[] = []
  const server = await startModelServer({
    models: [{ id: MODEL, object: 'model', created: 1, owned_by: 'vllm', max_model_len: contextTokens }],
    async answer(request, response) {
      asked.push((await readBody(request)).length)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    },
  })
  const node = await startNodeProcess({
    flags: [...flagsToJoin(user), '--demo-model', 'off', ...llmFlags(server.port)],
  })
  return { node, server, asked }
}

interface Listed {
  data: { id: string; ocf: { providers: number } }[]
}

beforeAll(async () => {
  user = await startNodeProcess({ flags: ['--demo-model', 'off'] })
  providers = await Promise.all(CONTEXTS.map(startProvider))
  await until(
    async () => {
      const { data } = (await (await fetch(`${user.gateway}/v1/models`)).json()) as Listed
      return data.find(({ id }) => id === MODEL)?.ocf.providers === providers.length
    },
    { what: 'both providers are known', limitMs: 30_000 },
  )
})

afterAll(async () => {
  await Promise.all(providers.map(({ node }) => node.stop()))
  await user.stop()
  await Promise.all(providers.map(({ server }) => server.close()))
})

const ask = (bytes: number): Promise<Response> =>
  chat(user.gateway, { model: MODEL, messages: [{ role: 'user', content: 'word '.repeat(bytes / 5) }] })

test('a prompt that is longer than the context of one provider goes to the one that takes it', async () => {
  for (let times = 0; times < 6; times += 1) expect((await ask(160_000)).status).toBe(200)
  expect(providers.map(({ asked }) => asked.filter((length) => length >= 160_000).length)).toEqual([0, 6])
})

test('a prompt that is longer than any context offered is refused with the longest one, and sent to no provider', async () => {
  const before = providers.map(({ asked }) => asked.length)
  const response = await ask(800_000)
  expect(response.status).toBe(400)
  const { error } = (await response.json()) as { error: { code: string; message: string } }
  expect(error.code).toBe('context_length_exceeded')
  expect(error.message).toMatch(/takes 200,0\d\d tokens; the longest context offered is 65,536\./)
  expect(providers.map(({ asked }) => asked.length)).toEqual(before)
})
