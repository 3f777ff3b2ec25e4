import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { LLAMA_CPP, LM_STUDIO, VLLM } from '../fixtures/model-servers/stand-ins/servers.js'
import { startStandIn, type StandInModel } from '../fixtures/model-servers/stand-ins/stand-in.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { untilListed } from '../fixtures/node-pair.js'

/** What a node tells of the models that a server of another node has. */
let user: NodeInProcess
let provider: NodeInProcess
const cleanups: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  user = await startNodeInProcess()
  provider = await startNodeInProcess({ flags: { 'bootstrap.sources': [`${user.gateway}/v1/dnt/bootstraps`] } })
})

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

afterAll(async () => {
  await provider.stop()
  await user.stop()
})

async function factsOf(server: StandInModel, model: string): Promise<object> {
  const standIn = await startStandIn(server)
  const { port, seen, work } = standIn
  cleanups.push(() => standIn.close())
  const { id } = await provider.control.call('shares.add', { port, models: 'all', visibility: 'everyone' })
  cleanups.push(() => provider.control.call('shares.remove', { id }))
  await untilListed(user.gateway, model)
  expect(work).toEqual([])
  expect(seen).not.toContain('GET /slots')
  return ((await (await fetch(`${user.gateway}/v1/models/${model}`)).json()) as { ocf: object }).ocf
}

/** A llama.cpp whose `/props` says this, too. */
function llamaCpp(props: object): StandInModel {
  const server = LLAMA_CPP()
  const before = server.routes['GET /props']
  if (typeof before !== 'object') throw new Error('the stand-in has no props')
  server.routes['GET /props'] = { body: { ...(before.body as object), ...props } }
  return server
}

const QWEN = 'Qwen3-8B-Q4_K_M.gguf'
const vision = (has: boolean) => ({ modalities: { vision: has, audio: false } })

test.each<[string, object, { context_length: number; capabilities?: string[] }]>([
  ['an old one', {}, { context_length: 16_384 }],
  ['one with a projector', vision(true), { context_length: 16_384, capabilities: ['tools', 'vision'] }],
  ['one of text alone', vision(false), { context_length: 16_384, capabilities: ['tools'] }],
  [
    'one whose template knows no tools',
    { ...vision(true), chat_template_caps: { supports_tools: false } },
    { context_length: 16_384, capabilities: ['vision'] },
  ],
  ['one that says odd things', { modalities: 'all', chat_template_caps: 7 }, { context_length: 16_384 }],
])('llama.cpp, %s: what its /props say goes round', async (_name, props, expected) => {
  const facts = await factsOf(llamaCpp(props), QWEN)
  expect(facts).toMatchObject({ ...expected, quantization: 'Q4_K_M', parameters: '8.2B' })
  expect(Reflect.get(facts, 'capabilities')).toEqual(expected.capabilities)
})

test('LM Studio tells what a model is for, and how much it takes as it is loaded', async () => {
  const server = LM_STUDIO()
  const chat = 'qwen2.5-7b-instruct'
  expect(await factsOf(server, chat)).toMatchObject({
    ...{ kind: 'chat', context_length: 8192, quantization: 'Q4_K_M', family: 'qwen2' },
  })
  const other = await fetch(`${user.gateway}/v1/models/text-embedding-nomic-embed-text-v1.5`)
  expect(await other.json()).toMatchObject({ ocf: { kind: 'embedding', context_length: 2048, quantization: 'Q4_0' } })
})

test.each([
  ['vlm', undefined, ['completion', 'tools', 'vision']],
  ['vlm', [], ['completion', 'vision']],
  ['llm', ['tool_use'], ['completion', 'tools']],
])('LM Studio’s %s with the capabilities %o', async (type, capabilities, expected) => {
  const server = LM_STUDIO()
  const data = [{ id: 'pixtral-12b', object: 'model', owned_by: 'organization_owner' }]
  server.routes['GET /v1/models'] = { body: { object: 'list', data } }
  const detail = { id: 'pixtral-12b', type, capabilities, state: 'not-loaded', max_context_length: 4096 }
  server.routes['GET /api/v0/models'] = { body: { object: 'list', data: [detail] } }
  expect(await factsOf(server, 'pixtral-12b')).toMatchObject({
    kind: 'chat',
    context_length: 4096,
    capabilities: expected,
  })
})

test('vLLM tells how much it takes in its list', async () => {
  expect(await factsOf(VLLM(), 'Qwen/Qwen2.5-7B-Instruct-AWQ')).toMatchObject({
    ...{ context_length: 32_768, quantization: 'AWQ' },
  })
})
