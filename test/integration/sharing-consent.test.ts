import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { untilListed } from '../fixtures/node-pair.js'

let asker: NodeInProcess
let provider: NodeInProcess
let server: ModelServerFixture
const seen: string[] = []

beforeAll(async () => {
  asker = await startNodeInProcess()
  provider = await startNodeInProcess({ flags: { 'bootstrap.sources': [`${asker.gateway}/v1/dnt/bootstraps`] } })
  server = await startModelServer({
    models: ['m1'],
    async answer(request, response) {
      seen.push((await readBody(request)).toString())
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    },
  })
  await provider.control.call('shares.add', { port: server.port, models: 'all', visibility: 'everyone' })
  await untilListed(asker.gateway, 'm1')
})

beforeEach(() => void seen.splice(0))

afterAll(async () => {
  await provider.stop()
  await asker.stop()
  await server.close()
})

/** A peer's request to the server of which all models are shared: the status, and the code where it is refused. */
async function ask(path: string, body: string | FormData, type?: string): Promise<string> {
  const url = `${asker.gateway}/v1/p2p/${provider.peerId}/v1/_service/llm${path}`
  const headers = type === undefined ? {} : { 'content-type': type }
  const response = await fetch(url, { method: 'POST', headers, body })
  // In Ollama's shape it stands beside the sentence.
  const told = (await response.json()) as { error?: string | { code?: string }; code?: string }
  const code = typeof told.error === 'object' ? told.error.code : told.code
  return `${response.status}${code === undefined ? '' : ` ${code}`}`
}

const CHAT = '/v1/chat/completions'
const JSON_TYPE = 'application/json'

describe('where all models are shared', () => {
  test.each([
    ['404 model_not_found', '{"model":"huggingface://evil/model.gguf"}', JSON_TYPE],
    ['404 model_not_found', '{"model":"../../etc/passwd"}', JSON_TYPE],
    ['404 model_not_found', '{"model":"M1"}', JSON_TYPE],
    ['404 model_not_found', '{"model":""}', JSON_TYPE],
    ['400 missing_model', '{"model":null}', JSON_TYPE],
    ['400 missing_model', '{"model":["m1"]}', JSON_TYPE],
    ['400 missing_model', '{"model":1}', JSON_TYPE],
    ['400 missing_model', '{}', JSON_TYPE],
    ['400 invalid_json', '["m1"]', JSON_TYPE],
    ['400 invalid_json', 'model=m1', 'application/x-www-form-urlencoded'],
    ['400 invalid_request', '{"model":"m1","mode\\u006c":"m2"}', JSON_TYPE],
    ['404 model_not_found', '{"model":"m2"}', 'application/octet-stream'],
    ['404 model_not_found', '{"model":"m2"}', 'text/plain'],
  ])('a peer reaches no other model: %s for %s', async (expected, body, type) => {
    expect(await ask(CHAT, body, type)).toBe(expected)
    expect(seen).toEqual([])
  })

  test('a peer names no model in the query', async () => {
    expect(await ask(`${CHAT}?model=m2`, '{"model":"m1"}', JSON_TYPE)).toBe('400 invalid_request')
    expect(await ask(`${CHAT}?Model=m1`, '{"model":"m1"}', JSON_TYPE)).toBe('400 invalid_request')
    expect(seen).toEqual([])
  })

  test('a peer uploads to a model in forms only, and to a shared one', async () => {
    const form = (model: string): FormData => {
      const data = new FormData()
      data.append('model', model)
      data.append('backend', 'other')
      data.append('file', new Blob(['sound']), 'a.wav')
      return data
    }
    const path = '/v1/audio/transcriptions'
    expect(await ask(path, 'sound', 'audio/wav')).toBe('415 unsupported_media_type')
    expect(await ask(path, form('m2'))).toBe('404 model_not_found')
    expect(seen).toEqual([])
    expect(await ask(path, form('m1'))).toBe('200')
    expect(seen.join()).toContain('sound')
    expect(seen.join()).not.toContain('backend')
  })

  test('a peer asks the shared one, and byte for byte', async () => {
    const body = '{ "model":"m1", "seed":18446744073709551615,"messages":[] }'
    expect(await ask(CHAT, body, JSON_TYPE)).toBe('200')
    expect(seen).toEqual([body])
  })

  test('a peer does not decide how long, how large and where a model is loaded', async () => {
    const body = { model: 'm1', messages: [{ content: 'a' }], keep_alive: 0, ttl: 1, priority: -1 }
    expect(await ask('/api/chat', JSON.stringify({ ...body, options: { num_ctx: 9e6, seed: 1 } }), JSON_TYPE)).toBe(
      '200',
    )
    const [sent = ''] = seen
    expect(JSON.parse(sent)).toEqual({ model: 'm1', messages: [{ content: 'a' }], options: { seed: 1 } })
  })

  test.each([
    ['/api/generate', '{"model":"m1","keep_alive":0}'],
    ['/api/generate', '{"model":"m1","prompt":""}'],
    ['/api/chat', '{"model":"m1","messages":[]}'],
    ['/api/embed', '{"model":"m1","input":[]}'],
    ['/v1/completions', '{"model":"m1","prompt":""}'],
  ])('a peer loads and unloads nothing: %s %s', async (path, body) => {
    expect(await ask(path, body, JSON_TYPE)).toBe('400 invalid_request')
    expect(seen).toEqual([])
  })
})
