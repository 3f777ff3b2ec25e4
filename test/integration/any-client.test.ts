import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRaw } from '../fixtures/http-server.js'
import { readBody, sseChunk, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { untilListed } from '../fixtures/node-pair.js'

/** One node, behind it a server of OpenAI's interface and an Ollama with a model of each kind. */
let node: NodeInProcess
let server: ModelServerFixture
let ollama: ModelServerFixture

const CASES = join(import.meta.dirname, '..', 'fixtures', 'cases')
const sample = (name: string): Buffer => readFileSync(join(CASES, name))

const CHAT = '/v1/chat/completions'
const LLAMA = 'llama3.2:latest'
const CLOUD = 'gpt-oss:120b-cloud'
const JSON_TYPE = { 'content-type': 'application/json' }

type Say = (response: ServerResponse) => void

/** What the servers heard last, and what they say next in place of an answer. */
const heard: { url: string; body: string }[] = []
let instead: Say | undefined

const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = (await readBody(request)).toString()
  // The node looks at its servers meanwhile.
  if (request.method === 'POST') heard.push({ url: request.url ?? '', body })
  if (instead !== undefined) {
    instead(response)
    return
  }
  const isOllama = request.url?.startsWith('/api/') === true
  const value = isOllama
    ? { capabilities: ['completion', 'tools'], template: 'real', models: [{ name: LLAMA }], response: 'hi', done: true }
    : { object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', content: 'hi' } }] }
  response.writeHead(200, JSON_TYPE).end(JSON.stringify(value))
}

const listed = (id: string) => ({ id, object: 'model', created: 1_731_000_000, owned_by: 'library' })

beforeAll(async () => {
  server = await startModelServer({ models: ['m', 'org/model'], answer })
  ollama = await startModelServer({
    models: [listed(LLAMA), listed(CLOUD)],
    tags: [
      {
        ...{ name: LLAMA, digest: 'a80c4f17acd5', size: 2_019_393_189, capabilities: ['completion', 'tools'] },
        details: { family: 'llama', parameter_size: '3.2B', quantization_level: 'Q4_K_M', context_length: 131_072 },
      },
      { name: CLOUD, digest: 'd1', size: 291, remote_host: 'https://ollama.com:443', remote_model: 'gpt-oss:120b' },
    ],
    answer,
  })
  node = await startNodeInProcess({ flags: { mode: 'standalone' } })
  for (const { port } of [server, ollama]) {
    await node.control.call('shares.add', {
      host: '127.0.0.1',
      port,
      models: 'all',
      aliases: [],
      visibility: 'everyone',
    })
  }
  await untilListed(node.gateway, 'm')
  await untilListed(node.gateway, LLAMA)
})

afterAll(async () => {
  await node.stop()
  await server.close()
  await ollama.close()
})

const url = (path: string): string => `${node.gateway}${path}`
const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url(path), { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) })
const ask = (model: string) => ({ model, messages: [{ role: 'user', content: 'x' }] })

/** Runs while every request is answered so. */
async function answering<T>(how: Say, run: () => Promise<T>): Promise<T> {
  instead = how
  try {
    return await run()
  } finally {
    instead = undefined
  }
}

/** Status and body of an answer to bytes that are sent by hand. */
async function exchange(bytes: Buffer | string): Promise<{ status: number; body: string }> {
  const { text } = await openRaw(Number(new URL(node.gateway).port), bytes).ended
  return { status: Number(text.split(' ', 2)[1]), body: text.slice(text.indexOf('\r\n\r\n') + 4) }
}

describe('bytes that were once answered wrong', () => {
  test.each([
    ['01-absolute-form.http', '"object":"list"'],
    ['02-http10-without-host.http', '"status":"ok"'],
    ['03-proxied-bootstraps.http', '"bootstraps"'],
    ['04-body-br.http', '"content":"hi"'],
    ['04-body-gzip.http', '"content":"hi"'],
    ['05-body-bom.http', '"content":"hi"'],
  ])('are answered with 200: %s', async (name, part) => {
    const { status, body } = await exchange(sample(name))
    expect(status).toBe(200)
    expect(body).toContain(part)
  })

  test('an absolute target is answered in either scheme, and a proxy’s CONNECT in words', async () => {
    for (const scheme of ['http', 'HTTP', 'https']) {
      const target = `GET ${scheme}://localhost/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`
      expect([scheme, (await exchange(target)).status]).toEqual([scheme, 200])
    }
    const { status, body } = await exchange('CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n')
    expect(status).toBe(405)
    expect(JSON.parse(body)).toMatchObject({
      error: { code: 'method_not_allowed', message: expect.stringContaining('no proxy') as string },
    })
  })

  test.each(['identity', 'gzip, identity', ' GZIP ,', 'identity,gzip'])(
    'a body in the coding %s is read',
    async (coding) => {
      const plain = JSON.stringify(ask('m'))
      const body = new Uint8Array(/gzip/i.test(coding) ? gzipSync(plain) : Buffer.from(plain))
      const response = await fetch(url(CHAT), {
        method: 'POST',
        headers: { ...JSON_TYPE, 'content-encoding': coding },
        body,
      })
      expect([response.status, heard.at(-1)?.body]).toEqual([200, plain])
    },
  )

  test('a body that is packed twice is refused with the reason', async () => {
    const body = new Uint8Array(gzipSync(gzipSync('{}')))
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip, gzip' }
    const response = await fetch(url(CHAT), { method: 'POST', headers, body })
    expect([response.status, await response.text()]).toEqual([415, expect.stringContaining('gzip, gzip') as string])
  })

  test('08-big-integer.json reaches the server as it is, where the model’s name alone is changed', async () => {
    const body = sample('08-big-integer.json').toString().replace('x.gguf', 'LLAMA3.2')
    await fetch(url(CHAT), { method: 'POST', headers: JSON_TYPE, body })
    expect(heard.at(-1)?.body).toBe(body.replace('LLAMA3.2', LLAMA))
  })
})

describe('a base URL that is nearly right', () => {
  test.each(['/chat/completions', '/v1/v1/chat/completions', '//v1/chat/completions', '/v1/chat/completions/'])(
    'finds the chat at %s',
    async (path) => {
      expect((await post(path, ask('m'))).status).toBe(200)
      expect(heard.at(-1)?.url).toBe(CHAT)
    },
  )

  test.each(['/models', '/v1/models/', '/v1/v1/models', '//v1//models'])('finds the list at %s', async (path) => {
    expect(await (await fetch(url(path))).json()).toMatchObject({ object: 'list' })
  })

  test('is said to be wrong elsewhere, with what is right', async () => {
    const response = await fetch(url('/v2/chat'))
    expect(response.status).toBe(404)
    expect(await response.text()).toContain('ends in /v1')
  })

  test('a model is found by its id, whatever is in it', async () => {
    for (const path of ['/v1/models/org/model', '/v1/models/org%2Fmodel', '/v1/models/llama3.2']) {
      expect((await fetch(url(path))).status, path).toBe(200)
    }
  })

  test('what servers keep is refused with the reason', async () => {
    for (const path of ['/v1/batches', '/v1/files', '/v1/files/file-1']) {
      const response = await fetch(url(path))
      expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('no batches') as string])
    }
  })
})

describe('the shape of answers', () => {
  const anthropic = { 'anthropic-version': '2023-06-01' }

  test('is Anthropic’s for its clients: errors, their ids and the list of models', async () => {
    const refused = await post('/v1/messages', ask('nobody-has-it'), anthropic)
    expect(refused.status).toBe(404)
    const id = refused.headers.get('request-id')
    expect(id).toBe(refused.headers.get('x-request-id'))
    expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' }, request_id: id })
    const list = (await (await fetch(url('/v1/models?limit=1'), { headers: anthropic })).json()) as { data: object[] }
    expect(list).toMatchObject({ has_more: true })
    expect(list.data[0]).toMatchObject({ type: 'model', display_name: expect.any(String) as string })
    const next = await fetch(url(`/v1/models?after_id=${LLAMA}`), { headers: anthropic })
    expect(await next.text()).not.toContain(`"id":"${LLAMA}"`)
  })

  test('is a 502 with its reason where a server dies behind its head', async () => {
    const dying = sample('12-head-then-close.answer')
    const response = await answering(
      ({ socket }) => void socket?.end(dying),
      () => post(CHAT, ask('m')),
    )
    expect(response.status).toBe(502)
    expect(await response.json()).toMatchObject({ error: { code: 'upstream_failed' } })
  })

  test('is broken off where a stream ends inside an event, and whole where it gives a reason for its end', async () => {
    const stream = { ...ask('m'), stream: true }
    const cut = await answering(
      ({ socket }) => void socket?.end(sample('11-http10-truncated.answer')),
      () => post(CHAT, stream).then((response) => response.text()),
    )
    expect(cut).toMatch(/half of.*event: error\ndata: .*"code":"upstream_failed"/s)
    const whole = await answering(
      (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(sample('10-no-done.sse')),
      () => post(CHAT, stream).then((response) => response.text()),
    )
    expect(whole).toBe(sample('10-no-done.sse').toString())
  })

  test('is a line with an error where a stream of Ollama’s breaks', async () => {
    const text = await answering(
      (response) => {
        response.writeHead(200, { 'content-type': 'application/x-ndjson' })
        response.write('{"response":"a","done":false}\n', () => response.destroy())
      },
      () => post('/api/generate', { model: LLAMA, prompt: 'x' }).then((response) => response.text()),
    )
    const [first, last = ''] = text.trim().split('\n')
    expect(first).toBe('{"response":"a","done":false}')
    expect(JSON.parse(last)).toMatchObject({ error: expect.stringContaining('broke off') as string })
  })
})

describe('Ollama’s interface', () => {
  test.each([{ model: LLAMA, name: '' }, { name: 'llama3.2' }, { model: 'LLAMA3.2' }, { model: `library/${LLAMA}` }])(
    'shows what the server itself says of %o',
    async (body) => {
      const response = await post('/api/show', body)
      expect(await response.json()).toMatchObject({ template: 'real', capabilities: ['completion', 'tools'] })
      expect(JSON.parse(heard.at(-1)?.body ?? '')).toMatchObject({ model: LLAMA })
    },
  )

  test('shows nothing of a model that nobody has', async () => {
    const response = await post('/api/show', { model: 'nope', name: '' })
    expect([response.status, await response.json()]).toEqual([
      404,
      expect.objectContaining({ error: "model 'nope' not found" }),
    ])
  })

  test('lists real sizes, digests and details, and no model that others run in the owner’s name', async () => {
    const { models } = (await (await fetch(url('/api/tags'))).json()) as { models: object[] }
    expect(models).toMatchObject([
      {
        ...{ name: LLAMA, size: 2_019_393_189, digest: 'a80c4f17acd5', capabilities: ['completion', 'tools'] },
        details: { family: 'llama', parameter_size: '3.2B', quantization_level: 'Q4_K_M' },
      },
    ])
    const { ocf } = (await (await fetch(url(`/v1/models/${LLAMA}`))).json()) as { ocf: object }
    expect(ocf).toMatchObject({ context_length: 131_072, parameters: '3.2B', quantization: 'Q4_K_M' })
  })

  test('tells what is in memory', async () => {
    expect(await (await fetch(url('/api/ps'))).json()).toMatchObject({ models: [{ name: LLAMA }] })
  })

  test('has the old embeddings', async () => {
    expect((await post('/api/embeddings', { model: 'llama3.2', prompt: 'x' })).status).toBe(200)
    expect(heard.at(-1)).toMatchObject({ url: '/api/embeddings' })
  })

  test.each([
    ['POST', '/api/pull'],
    ['POST', '/api/push'],
    ['POST', '/api/create'],
    ['POST', '/api/copy'],
    ['DELETE', '/api/delete'],
    ['POST', '/api/blobs/sha256:0'],
  ])('refuses %s %s in its words', async (method, path) => {
    const response = await fetch(url(path), { method, headers: JSON_TYPE, body: '{"model":"x"}' })
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({ error: expect.stringContaining("can't be") as string }),
    ])
  })

  test.each(['llama3.2', 'Llama3.2:Latest', 'library/llama3.2'])(
    'its names work with OpenAI’s clients: %s',
    async (name) => {
      expect((await post(CHAT, ask(name))).status).toBe(200)
      expect(JSON.parse(heard.at(-1)?.body ?? '')).toMatchObject({ model: LLAMA })
    },
  )

  test('a name of OpenAI’s servers means nothing but itself', async () => {
    expect((await post(CHAT, ask('M'))).status).toBe(404)
  })
})

test('an event stream of chunks passes as it is', async () => {
  const events = `${sseChunk('a')}data: [DONE]\n\n`
  const text = await answering(
    (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events),
    () => post(CHAT, { ...ask('m'), stream: true }).then((response) => response.text()),
  )
  expect(text).toBe(events)
})
