import { afterAll, beforeAll, expect, test } from 'vitest'
import { startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { llmFlags, startNodePair, untilListed, type NodePair } from '../fixtures/node-pair.js'

/** At B an Ollama; what A tells of its models can only have come through the network. */
let pair: NodePair
let ollama: ModelServerFixture

const LLAMA = 'llama3.2:latest'
const EMBED = 'nomic-embed-text:latest'
const DIGEST = 'a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72'

const listed = (id: string) => ({ id, object: 'model', created: 1_731_000_000, owned_by: 'library' })

beforeAll(async () => {
  ollama = await startModelServer({
    models: [listed(LLAMA), listed(EMBED)],
    tags: [
      {
        ...{ name: LLAMA, digest: DIGEST, size: 2_019_393_189, capabilities: ['completion', 'tools'] },
        details: { family: 'llama', parameter_size: '3.2B', quantization_level: 'Q4_K_M', context_length: 131_072 },
      },
      { name: EMBED, digest: DIGEST, size: 274_302_450, details: { family: 'nomic-bert' } },
    ],
    answer: (request, response) => {
      // As Ollama 0.33: a model is loaded with fewer tokens than it was made for.
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ models: [{ name: LLAMA, context_length: 4096 }] }))
    },
  })
  pair = await startNodePair({ serviceFlags: llmFlags(ollama.port) })
  await untilListed(pair.a.gateway, LLAMA)
})

afterAll(async () => {
  await pair.stop()
  await ollama.close()
})

const get = async (path: string): Promise<unknown> => (await fetch(`${pair.a.gateway}${path}`)).json()

test('the list of models tells of another peer’s model what its server tells', async () => {
  expect(await get(`/v1/models/${LLAMA}`)).toMatchObject({
    created: 1_731_000_000,
    ocf: {
      ...{ local: false, kind: 'chat', context_length: 4096, parameters: '3.2B', quantization: 'Q4_K_M' },
      ...{ family: 'llama', size: 2_019_393_189, digest: DIGEST.slice(0, 16), capabilities: ['completion', 'tools'] },
    },
  })
  expect(await get(`/v1/models/${EMBED}`)).toMatchObject({ ocf: { kind: 'embedding', capabilities: ['embedding'] } })
})

test('Ollama’s lists tell the size, digest and details of another peer’s model', async () => {
  expect(await get('/api/tags')).toMatchObject({
    models: [
      {
        ...{ name: LLAMA, size: 2_019_393_189, digest: DIGEST.slice(0, 16), capabilities: ['completion', 'tools'] },
        ...{ modified_at: new Date(1_731_000_000_000).toISOString() },
        details: { family: 'llama', parameter_size: '3.2B', quantization_level: 'Q4_K_M', context_length: 4096 },
      },
      { name: EMBED },
    ],
  })
})

test('Ollama’s show tells the capabilities and the context of another peer’s model', async () => {
  const response = await fetch(`${pair.a.gateway}/api/show`, {
    method: 'POST',
    body: JSON.stringify({ model: 'llama3.2' }),
  })
  expect(await response.json()).toMatchObject({
    capabilities: ['completion', 'tools'],
    model_info: { 'general.architecture': 'llama', 'llama.context_length': 4096 },
  })
})

test('the node table shows what a row tells of its models', async () => {
  const table = (await get('/v1/dnt/table')) as Record<string, { service?: { model_facts?: object[] }[] }>
  const facts = Object.values(table).flatMap(({ service = [] }) => service.flatMap((one) => one.model_facts ?? []))
  expect(facts).toContainEqual(expect.objectContaining({ model: LLAMA, context: 4096, created: 1_731_000_000 }))
})
