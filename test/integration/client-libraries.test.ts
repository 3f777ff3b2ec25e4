import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import Anthropic, { APIError as AnthropicError } from '@anthropic-ai/sdk'
import { Ollama } from 'ollama'
import OpenAI, { APIError, APIUserAbortError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALL_ROUND as MODEL, startEveryInterface } from '../fixtures/model-servers/every-interface.js'
import type { ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startOllamaApi } from '../fixtures/model-servers/ollama-api.js'
import { llmFlags, startNodePair, untilListed, type NodePair } from '../fixtures/node-pair.js'

/** Clients at A; at B a server of OpenAI's and Anthropic's interfaces and an Ollama, as two services. */
let pair: NodePair
let server: ModelServerFixture
let ollama: ModelServerFixture

beforeAll(async () => {
  ollama = await startOllamaApi()
  server = await startEveryInterface()
  pair = await startNodePair({ serviceFlags: llmFlags(server.port) })
  const { token } = JSON.parse(await readFile(join(pair.b.dataDir, 'control.json'), 'utf8')) as { token: string }
  await fetch(`${pair.b.gateway}/v1/dnt/_node`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ name: 'llm', port: ollama.port }),
  })
  await untilListed(pair.a.gateway, MODEL, 15_000)
  await untilListed(pair.a.gateway, 'tiny:latest', 15_000)
})

afterAll(async () => {
  await pair.stop()
  await server.close()
  await ollama.close()
})

const messages = [{ role: 'user' as const, content: 'Tell me about peers' }]

describe('the openai library', () => {
  const client = (): OpenAI => new OpenAI({ baseURL: `${pair.a.gateway}/v1`, apiKey: 'any', maxRetries: 0 })

  test('lists models', async () => {
    const ids: string[] = []
    for await (const { id } of client().models.list()) ids.push(id)
    expect(ids).toEqual([MODEL, 'tiny:latest'])
    expect((await client().models.retrieve(MODEL)).id).toBe(MODEL)
  })

  test('chats, plain and streamed', async () => {
    const { data, response } = await client()
      .chat.completions.create({ model: MODEL, messages, max_completion_tokens: 8 })
      .withResponse()
    expect(data.choices[0]?.message.content).toMatch(/\w/)
    expect(response.headers.get('x-computing-node')).toBe(pair.b.peerId)
    let text = ''
    const stream = await client().chat.completions.create({
      model: MODEL,
      messages,
      max_completion_tokens: 8,
      stream: true,
    })
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toMatch(/\w/)
  })

  test('uses responses, completions and embeddings', async () => {
    const answer = await client().responses.create({ model: MODEL, input: 'Hello', max_output_tokens: 8 })
    expect(answer.output_text).toMatch(/\w/)
    const completion = await client().completions.create({ model: MODEL, prompt: 'Hello', max_tokens: 8 })
    expect(completion.choices[0]?.text).toMatch(/\w/)
    const embedding = await client().embeddings.create({ model: MODEL, input: 'Hello' })
    expect(embedding.data[0]?.embedding.length).toBeGreaterThan(1)
  })

  test('cancels a stream, which ends the work at the provider', async () => {
    const gone = ollama.nextAbort()
    const stream = await client().chat.completions.create({ model: 'tiny:latest', messages, stream: true })
    for await (const chunk of stream) {
      expect(chunk.object).toBe('chat.completion.chunk')
      break
    }
    stream.controller.abort()
    expect((await gone).url).toBe('/v1/chat/completions')
    const early = new AbortController()
    const pending = client().chat.completions.create({ model: MODEL, messages }, { signal: early.signal })
    early.abort()
    await expect(pending).rejects.toBeInstanceOf(APIUserAbortError)
  })

  test('understands that a model is unknown', async () => {
    const error: unknown = await client()
      .chat.completions.create({ model: 'all-roun', messages })
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
    expect((error as APIError).message).toContain('Did you mean all-round')
  })
})

describe('the anthropic library', () => {
  const client = (): Anthropic => new Anthropic({ baseURL: pair.a.gateway, apiKey: 'any', maxRetries: 0 })

  test('chats, plain and streamed', async () => {
    const message = await client().messages.create({ model: MODEL, messages, max_tokens: 8 })
    expect(message.content[0]).toMatchObject({ type: 'text', text: expect.stringMatching(/\w/) as string })
    const stream = client().messages.stream({ model: MODEL, messages, max_tokens: 8 })
    expect((await stream.finalMessage()).content[0]).toMatchObject({ type: 'text' })
  })

  test('cancels a stream, which ends the work at the provider', async () => {
    const gone = ollama.nextAbort()
    const stream = await client().messages.create({ model: 'tiny:latest', messages, max_tokens: 8, stream: true })
    for await (const event of stream) {
      expect(event.type).toBe('message_start')
      break
    }
    stream.controller.abort()
    expect((await gone).url).toBe('/v1/messages')
  })

  test('understands that a model is unknown', async () => {
    const error: unknown = await client()
      .messages.create({ model: 'nobody-has-it', messages, max_tokens: 8 })
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(AnthropicError)
    expect(error).toMatchObject({ status: 404 })
    expect((error as AnthropicError).message).toContain('nobody-has-it')
  })
})

describe('the ollama library', () => {
  const client = (): Ollama => new Ollama({ host: pair.a.gateway })

  test('lists the models of Ollamas alone, and what is known of one', async () => {
    const { models } = await client().list()
    expect(models.map(({ name }) => name)).toEqual(['tiny:latest'])
    expect(models[0]).toMatchObject({ model: 'tiny:latest', digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string })
    expect(await client().show({ model: 'tiny' })).toMatchObject({ capabilities: ['completion'] })
    expect((await client().version()).version).toMatch(/^\d+\.\d+\.\d+$/)
  })

  test('chats, plain and streamed, with and without the tag', async () => {
    const plain = await client().chat({ model: 'tiny:latest', messages, stream: false })
    expect(plain.message.content).toBe('Hello there')
    const pieces: string[] = []
    for await (const part of await client().chat({ model: 'tiny', messages, stream: true })) {
      pieces.push(part.message.content)
    }
    expect(pieces).toEqual(['Hello', ' there', ''])
    let text = ''
    for await (const part of await client().generate({ model: 'tiny', prompt: 'Hi', stream: true }))
      text += part.response ?? ''
    expect(text).toBe('Hello there')
    expect((await client().embed({ model: 'tiny', input: 'Hi' })).embeddings).toEqual([[0.25, 0.5]])
  })

  test('gets NDJSON as the server wrote it, piece by piece', async () => {
    const body = JSON.stringify({ model: 'tiny:latest', messages })
    const ask = (origin: string) => fetch(`${origin}/api/chat`, { method: 'POST', body })
    const through = await ask(pair.a.gateway)
    expect(through.headers.get('content-type')).toBe('application/x-ndjson')
    expect(through.headers.get('x-computing-node')).toBe(pair.b.peerId)
    expect(await through.text()).toBe(await (await ask(ollama.origin)).text())
  })

  test('cancels a stream, which ends the work at the provider', async () => {
    const stream = await client().chat({
      model: 'tiny',
      messages: [{ role: 'user', content: 'forever' }],
      stream: true,
    })
    const gone = ollama.nextAbort()
    await expect(
      (async () => {
        for await (const part of stream) {
          expect(part.message.content).toBe('Hello')
          stream.abort()
        }
      })(),
    ).rejects.toThrow(/abort/i)
    await gone
  })

  test('understands that a model is unknown, or no Ollama has it', async () => {
    for (const model of ['nobody-has-it', MODEL]) {
      const error: unknown = await client()
        .chat({ model, messages })
        .catch((reason: unknown) => reason)
      expect(error).toMatchObject({ status_code: 404, error: expect.stringContaining(`"${model}"`) as string })
    }
    await expect(client().show({ model: 'nobody-has-it' })).rejects.toMatchObject({ status_code: 404 })
  })
})
