import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALL_ROUND as MODEL, startEveryInterface } from '../fixtures/model-servers/every-interface.js'
import type { ModelServerFixture } from '../fixtures/model-servers/index.js'
import { llmFlags, startNodePair, untilListed, type NodePair } from '../fixtures/node-pair.js'

const ask = {
  model: MODEL,
  messages: [{ role: 'user' as const, content: 'What is a node table?' }],
  max_completion_tokens: 12,
}

let server: ModelServerFixture
let pair: NodePair

beforeAll(async () => {
  server = await startEveryInterface()
  pair = await startNodePair({ serviceFlags: llmFlags(server.port) })
})

afterAll(async () => {
  await pair.stop()
  await server.close()
})

const clientOf = (baseURL: string): OpenAI => new OpenAI({ baseURL, apiKey: 'sk-secret-of-the-user', maxRetries: 0 })

test('a model server at B is listed at A within five seconds', async () => {
  await untilListed(pair.a.gateway, MODEL, 5_000)
})

describe.each([
  ['the short form at A', () => `${pair.a.gateway}/v1`],
  ['the global service at A', () => `${pair.a.gateway}/v1/service/llm/v1`],
  ["B's own service through A", () => `${pair.a.gateway}/v1/p2p/${pair.b.peerId}/v1/_service/llm/v1`],
  ['B itself', () => `${pair.b.gateway}/v1`],
  ["B's own service at B", () => `${pair.b.gateway}/v1/_service/llm/v1`],
])('the openai client over %s', (_name, baseUrl) => {
  test('completes a chat, served by B', async () => {
    const { data, response } = await clientOf(baseUrl()).chat.completions.create(ask).withResponse()
    expect(data.choices[0]!.message.content).not.toBe('')
    expect(data.usage!.completion_tokens).toBe(12)
    expect(response.headers.get('x-computing-node')).toBe(pair.b.peerId)
    expect(response.headers.get('x-ocf-tries')).toBe('1')
  })

  test('streams a chat to its end', async () => {
    const stream = await clientOf(baseUrl()).chat.completions.create({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let tokens = 0
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      tokens = chunk.usage?.completion_tokens ?? tokens
    }
    expect(text).not.toBe('')
    expect(tokens).toBe(12)
  })

  test('is cancelled midway', async () => {
    const gone = server.nextAbort()
    const stream = await clientOf(baseUrl()).chat.completions.create({
      ...ask,
      max_completion_tokens: 4_000,
      stream: true,
    })
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
    stream.controller.abort()
    expect((await gone).url).toBe('/v1/chat/completions')
  })

  test('completes text', async () => {
    const { choices } = await clientOf(baseUrl()).completions.create({ model: MODEL, prompt: 'A peer', max_tokens: 5 })
    expect(choices[0]!.text).not.toBe('')
  })

  test('embeds text', async () => {
    const { data } = await clientOf(baseUrl()).embeddings.create({ model: MODEL, input: ['one', 'two'] })
    expect(data).toHaveLength(2)
    expect(data[0]!.embedding.length).toBeGreaterThan(8)
  })

  test('lists models', async () => {
    const page = await clientOf(baseUrl()).models.list()
    expect(page.data.map(({ id }) => id)).toContain(MODEL)
  })
})

test('what each listener shows of the node', async () => {
  const table = (await (await fetch(`${pair.a.gateway}/v1/dnt/table`)).json()) as Record<string, { connected: boolean }>
  expect(table[`/${pair.b.peerId}`]!.connected).toBe(true)
  const throughPeerListener = (path: string) => fetch(`${pair.a.gateway}/v1/p2p/${pair.b.peerId}${path}`)
  expect((await throughPeerListener('/v1/health')).status).toBe(200)
  expect((await throughPeerListener('/v1/dnt/table')).status).toBe(200)
  for (const closed of [
    '/v1/service/llm/v1/models',
    '/v1/chat/completions',
    '/metrics',
    '/docs',
    '/',
    '/v1/dnt/_node',
    '/v1/dnt/stats',
  ]) {
    const response = await throughPeerListener(closed)
    expect([closed, response.status]).toEqual([closed, 404])
  }
})

test('a path that is not shared is refused to peers and open to the owner', async () => {
  const refused = await fetch(`${pair.a.gateway}/v1/p2p/${pair.b.peerId}/v1/_service/llm/health`)
  expect(refused.status).toBe(403)
  expect(((await refused.json()) as { error: { code: string } }).error.code).toBe('path_not_shared')
  expect((await fetch(`${pair.b.gateway}/v1/_service/llm/health`)).status).toBe(200)
})

test('both nodes stop cleanly within five seconds', async () => {
  const extra = await startNodePair({ serviceFlags: llmFlags(server.port) })
  await untilListed(extra.a.gateway, MODEL)
  const first = await extra.b.stop()
  await expect.poll(() => fetch(`${extra.a.gateway}/v1/models`).then((r) => r.text())).not.toContain(MODEL)
  const second = await extra.a.stop()
  for (const { code, ms } of [first, second]) {
    expect(code).toBe(0)
    expect(ms).toBeLessThan(5_000)
  }
})
