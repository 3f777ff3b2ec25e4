import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OLLAMA_TALKER, startOllamaStandIn } from '../fixtures/clients/stand-ins.js'
import type { ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { untilListed } from '../fixtures/node-pair.js'

/**
 * What the `ollama` command of 0.33 sends, one request after the other, written from its source (cmd/cmd.go): its headers
 * are Go's, members of other versions stand empty, and it counts on twelve characters of each digest.
 */
let user: NodeInProcess
let provider: NodeInProcess
let ollama: ModelServerFixture

const HEADERS = {
  'user-agent': 'ollama/0.33.0 (amd64 linux) Go/go1.26.0',
  'content-type': 'application/json',
  accept: 'application/json',
}

beforeAll(async () => {
  ollama = await startOllamaStandIn()
  user = await startNodeInProcess()
  provider = await startNodeInProcess({ flags: { 'bootstrap.sources': [`${user.gateway}/v1/dnt/bootstraps`] } })
  await provider.control.call('shares.add', { port: ollama.port, models: 'all', visibility: 'everyone' })
  await untilListed(user.gateway, OLLAMA_TALKER)
})

afterAll(async () => {
  await user.stop()
  await provider.stop()
  await ollama.close()
})

interface Listed {
  name: string
  digest: string
  size: number
  size_vram?: number
  expires_at?: string
}

async function send(method: string, path: string, body?: object, gateway = user.gateway): Promise<unknown[]> {
  const accept = body === undefined ? 'application/json' : 'application/x-ndjson'
  const response = await fetch(gateway + path, {
    ...{ method, headers: { ...HEADERS, accept } },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  expect([path, response.status]).toEqual([path, 200])
  const text = await response.text()
  return text === ''
    ? []
    : text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown)
}

async function running(gateway = user.gateway): Promise<Listed[]> {
  await send('HEAD', '/', undefined, gateway)
  const [answer] = (await send('GET', '/api/ps', undefined, gateway)) as [{ models: Listed[] }]
  return answer.models
}

describe('the ollama command', () => {
  test('ollama list', async () => {
    await send('HEAD', '/')
    const [answer] = (await send('GET', '/api/tags')) as [{ models: Listed[] }]
    expect(answer.models).toEqual([expect.objectContaining({ name: OLLAMA_TALKER, size: 1 })])
    expect(answer.models[0]?.digest.length).toBeGreaterThanOrEqual(12)
  })

  test.each(['small', OLLAMA_TALKER])('ollama show %s', async (model) => {
    await send('HEAD', '/')
    const asked = { model, system: '', template: '', verbose: false, options: null, name: '' }
    expect(await send('POST', '/api/show', asked)).toMatchObject([
      { capabilities: ['completion', 'tools'], model_info: { 'general.architecture': expect.any(String) as string } },
    ])
  })

  test('ollama run, ollama ps, ollama stop, of a model of another peer', async () => {
    expect(await running()).toEqual([])

    await send('HEAD', '/')
    await send('POST', '/api/show', {
      model: 'small',
      system: '',
      template: '',
      verbose: false,
      options: null,
      name: '',
    })
    const load = { model: 'small', prompt: '', suffix: '', system: '', template: '', options: {}, think: null }
    expect(await send('POST', '/api/generate', load)).toMatchObject([{ done: true, done_reason: 'load' }])
    const chat = { model: 'small', messages: [{ role: 'user', content: 'Say hi' }], format: '', options: {} }
    const lines = await send('POST', '/api/chat', chat)
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: 'stop' })

    const [listed, ...others] = await running()
    expect(others).toEqual([])
    expect(listed).toMatchObject({ name: OLLAMA_TALKER, size: 1, size_vram: 1, digest: 'a80c4f17acd5' })
    const leftMs = Date.parse(listed?.expires_at ?? '') - Date.now()
    expect(leftMs).toBeGreaterThan(60_000)
    expect(leftMs).toBeLessThanOrEqual(5 * 60_000)

    const stop = { model: 'small', prompt: '', suffix: '', system: '', template: '', options: null, keep_alive: 0 }
    expect(await send('POST', '/api/generate', stop)).toMatchObject([{ done: true, done_reason: 'unload' }])
    expect(await running()).toEqual([])
    // It is its owner's to unload: nothing but the question has reached the server.
    expect(ollama.requests.filter(({ method }) => method === 'POST').map(({ url }) => url)).toEqual(['/api/chat'])
  })

  test.each(['0', '0.0', '-0', '"0"', '"0s"', '"0m"', '"0h0m0s"'])(
    'ollama stop with keep_alive %s unloads',
    async (none) => {
      const chat = { model: 'small', messages: [{ role: 'user', content: 'hi' }], stream: false }
      await send('POST', '/api/chat', chat)
      expect(await running()).toHaveLength(1)
      const body = `{"model":"small","keep_alive":${none}}`
      const response = await fetch(`${user.gateway}/api/generate`, { method: 'POST', headers: HEADERS, body })
      expect(await response.json()).toMatchObject({ done: true, done_reason: 'unload' })
      expect(await running()).toEqual([])
    },
  )

  test('ollama ps of the machine that shares it shows what its Ollama says', async () => {
    expect(await running(provider.gateway)).toEqual([{ name: 'loaded', model: 'loaded' }])
  })
})
