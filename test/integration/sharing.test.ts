import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { request as httpRequest, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client } from '#shared/contract/client.js'
import { createControlClient } from '../../src-main/api/client.js'
import { OWNER_FILE } from '../fixtures/file-modes.js'
import { readBody, sseChunk, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { disguises, MANAGEMENT } from '../fixtures/model-servers/management-paths.js'
import { LLAMA_CPP, OLLAMA } from '../fixtures/model-servers/stand-ins/servers.js'
import { startStandIn, type StandIn } from '../fixtures/model-servers/stand-ins/stand-in.js'
import { flagsToJoin, modelIds, untilListed } from '../fixtures/node-pair.js'
import { runOcf, startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

type Control = Pick<Client, 'call'>

const controlOf = ({ dataDir }: NodeProcess): Control =>
  createControlClient({ controlFile: join(dataDir, 'control.json') })
const MODEL = 'llama3.2:latest'
const OTHER = 'hf.co/someone/phi-4:Q4_K_M'

let a: NodeProcess
let b: NodeProcess
let donor: Control
let dataDir: string
let ollama: StandIn

beforeAll(async () => {
  ollama = await startStandIn(OLLAMA())
  dataDir = await mkdtemp(join(tmpdir(), 'ocf-donor-'))
  a = await startNodeProcess({ flags: ['--demo-model', 'off'] })
  b = await startDonor()
})

afterAll(async () => {
  await b.stop()
  await a.stop()
  await ollama.close()
  await rm(dataDir, { recursive: true, force: true })
})

async function startDonor(): Promise<NodeProcess> {
  const node = await startNodeProcess({ flags: [...flagsToJoin(a), '--demo-model', 'off'], dataDir })
  donor = controlOf(node)
  return node
}

/** A request through A to B's peer listener, its path exactly as given. */
function viaPeer(
  path: string,
  init: { method?: string; body?: unknown; raw?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; json: { error?: { code: string } } & Record<string, unknown>; retryAfter?: string }> {
  const { hostname, port } = new URL(a.gateway)
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        ...{ hostname, port, method: init.method ?? 'POST' },
        path: `/v1/p2p/${b.peerId}/v1/_service/llm${path}`,
        headers: { 'content-type': 'application/json', ...init.headers },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text }
          resolve({ status: response.statusCode ?? 0, json, retryAfter: response.headers['retry-after'] })
        })
      },
    )
    request.on('error', reject)
    request.end(init.raw ?? (init.body === undefined ? undefined : JSON.stringify(init.body)))
  })
}

const chatBody = (model: string) => ({ model, messages: [{ role: 'user', content: 'Hello' }] })
const ask = (model = MODEL) => viaPeer('/v1/chat/completions', { body: chatBody(model) })

test('the owner shares one of two models by the command line; A can use it within five seconds', async () => {
  const shared = await runOcf([
    'share',
    String(ollama.port),
    '--model',
    MODEL,
    '--with',
    'everyone',
    '--data-dir',
    dataDir,
  ])
  expect(shared).toMatchObject({ code: 0, stdout: expect.stringContaining('Sharing 1 model of Ollama') })

  await untilListed(a.gateway, MODEL, 5_000)

  expect(await modelIds(a.gateway)).toEqual([MODEL])
  expect(await ask()).toMatchObject({ status: 200 })
})

test('a model that was not ticked is out of reach, also by its doubles', async () => {
  const before = ollama.work.length
  expect((await ask(OTHER)).json.error?.code).toBe('model_not_found')
  const double = { ...chatBody(MODEL), Model: OTHER, MODEL: OTHER }
  const seen: string[] = []
  ollama.model.routes['POST /v1/chat/completions'] = (_, body) => {
    seen.push(body)
    return { body: { choices: [] } }
  }
  await viaPeer('/v1/chat/completions', { body: double })
  const noModel = await viaPeer('/v1/chat/completions', { body: { messages: [] } })
  expect(noModel.json.error?.code).toBe('missing_model')

  expect(ollama.work.length - before).toBe(1)
  expect(JSON.parse(seen[0]!)).toEqual(chatBody(MODEL))
})

test('a model that was not ticked is out of reach, also as the second of two', async () => {
  const before = ollama.work.length
  const JSON_TYPE = 'application/json'
  const FORM_TYPE = 'multipart/form-data; boundary=X'
  const field = (name: string, value: string) =>
    `--X\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  const twice = `{"model":"${MODEL}","messages":[],"mod\\u0065l":"${OTHER}"}`
  const tries: [path: string, type: string, raw: string][] = [
    ['/v1/chat/completions', JSON_TYPE, twice],
    ['/v1/audio/speech', JSON_TYPE, twice],
    ['/v1/audio/transcriptions', FORM_TYPE, `${field('model', MODEL)}${field('model', OTHER)}--X--\r\n`],
    ['/v1/audio/transcriptions', FORM_TYPE, `${field('model', 'x'.repeat(2000))}${field('model', MODEL)}--X--\r\n`],
    [`/v1/chat/completions?model=${encodeURIComponent(OTHER)}`, JSON_TYPE, JSON.stringify(chatBody(MODEL))],
    [`/v1/chat/completions?a=1;M%6fdel=x`, JSON_TYPE, JSON.stringify(chatBody(MODEL))],
  ]
  for (const [path, type, raw] of tries) {
    const answer = await viaPeer(path, { raw, headers: { 'content-type': type } })
    expect([path, answer.status, answer.json.error?.code]).toEqual([path, 400, 'invalid_request'])
  }
  expect(ollama.work.length).toBe(before)

  // What stands beside the form's own parts, or beside a name, never reaches the server.
  const seen: string[] = []
  ollama.model.routes['POST /v1/audio/transcriptions'] = (_, body) => {
    seen.push(body)
    return { body: { text: 'hello' } }
  }
  ollama.model.routes['POST /v1/audio/speech'] = (_, body) => {
    seen.push(body)
    return { body: {} }
  }
  const hidden = `--Y\r\nContent-Disposition: form-data; name="model"\r\n\r\n${OTHER}\r\n--Y--\r\n${field('model', MODEL)}--X--\r\n`
  const asked = await viaPeer('/v1/audio/transcriptions', { raw: hidden, headers: { 'content-type': FORM_TYPE } })
  await viaPeer('/v1/audio/speech', { body: { model: MODEL, Model: OTHER, input: 'hello' } })
  expect(asked).toMatchObject({ status: 200, json: { text: 'hello' } })
  expect(seen.join('\n')).toContain(MODEL)
  expect(seen.join('\n')).not.toContain(OTHER)
})

test('the list a peer sees holds what is shared and nothing else', async () => {
  const before = ollama.seen.length
  const { json } = await viaPeer('/v1/models', { method: 'GET' })
  expect((json as { data: { id: string }[] }).data.map(({ id }) => id)).toEqual([MODEL])
  expect(ollama.seen.slice(before).filter((name) => name !== 'GET /v1/models' && name !== 'GET /')).toEqual([])
})

test('every management path of the twelve servers is refused, and none in a disguise gets through', async () => {
  const before = ollama.work.length
  const refused = await Promise.all(
    MANAGEMENT.flatMap(([method, path], index) => {
      const dresses = disguises(path)
      return [path, ...[1, 2].map((step) => dresses[(index * 2 + step) % dresses.length] ?? path)].map(
        async (disguise) => {
          const { status, json } = await viaPeer(disguise, { method })
          // Beside the sentence where Ollama's clients look.
          return [disguise, status, json['code'] ?? json.error?.code]
        },
      )
    }),
  )

  expect(refused.filter(([, status, code]) => status !== 403 || code !== 'path_not_shared')).toEqual([])
  expect(refused.length).toBeGreaterThan(300)
  expect(ollama.work.length).toBe(before)
})

test('cookies, Authorization and addresses of the remote client never arrive', async () => {
  let seen: Record<string, unknown> = {}
  ollama.model.routes['POST /v1/chat/completions'] = ({ headers }) => {
    seen = headers
    return { body: { choices: [] } }
  }
  const secrets = {
    cookie: 'session=secret-1',
    authorization: 'Bearer secret-2',
    'x-api-key': 'secret-3',
    'x-forwarded-for': '203.0.113.9',
    'proxy-authorization': 'secret-4',
  }
  await viaPeer('/v1/chat/completions', { body: chatBody(MODEL), headers: secrets })

  expect(JSON.stringify(seen)).not.toMatch(/secret-|203\.0\.113/)
  expect(seen['content-type']).toBe('application/json')
})

test('a pause is seen by other nodes at once, refuses what comes anyway, and ends', async () => {
  expect(await donor.call('pause.set', { forMs: null })).toMatchObject({
    paused: true,
    reasons: [{ cause: 'manual', sentence: 'you paused it until you resume' }],
  })

  await until(async () => !(await modelIds(a.gateway)).includes(MODEL), { what: 'A drops it' })
  const table = (await (await fetch(`${a.gateway}/v1/dnt/table`)).json()) as Record<
    string,
    { service: { status: string }[] }
  >
  expect(table[`/${b.peerId}`]?.service).toMatchObject([{ status: 'paused' }])
  expect(await ask()).toMatchObject({ status: 503, json: { error: { code: 'no_provider' } } })
  const own = await fetch(`${b.gateway}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chatBody(MODEL)),
  })
  expect(own.status).toBe(200)

  expect((await runOcf(['resume', '--data-dir', dataDir])).stdout).toContain('Sharing is on')

  await untilListed(a.gateway, MODEL)
})

test('limits count at once and survive; a request over them is a 429 with Retry-After', async () => {
  await donor.call('limits.set', { concurrent: 0, queue: 0 })
  expect(await ask()).toMatchObject({ status: 429, json: { error: { code: 'provider_busy' } }, retryAfter: '5' })

  const set = await runOcf(['limits', 'concurrent=4', 'queue=', '--data-dir', dataDir])

  expect(set).toMatchObject({ code: 0, stdout: expect.stringContaining('0 of 4 slots') })
  expect(await ask()).toMatchObject({ status: 200 })
  await donor.call('limits.set', { blockedPeers: [a.peerId] })
  expect((await ask()).json.error?.code).toBe('peer_not_allowed')
  await donor.call('limits.set', { blockedPeers: [] })
  expect(await ask()).toMatchObject({ status: 200 })
})

test('more tokens than allowed are lowered on the way', async () => {
  const seen: unknown[] = []
  ollama.model.routes['POST /v1/chat/completions'] = (_, body) => {
    seen.push(JSON.parse(body))
    return { body: { choices: [] } }
  }
  await donor.call('limits.set', { maxTokens: 100 })
  await viaPeer('/v1/chat/completions', { body: { ...chatBody(MODEL), max_tokens: 5000 } })
  await viaPeer('/v1/chat/completions', { body: { ...chatBody(MODEL), max_completion_tokens: 7 } })
  await viaPeer('/v1/chat/completions', { body: chatBody(MODEL), headers: { 'content-type': 'text/plain' } })
  await donor.call('limits.set', { maxTokens: 0 })

  expect(seen).toMatchObject([{ max_tokens: 100 }, { max_completion_tokens: 7 }, { max_tokens: 100 }])
})

test('what was given is in the ledger, and everything is back after a restart', async () => {
  const { ever } = await donor.call('ledger.summary', {})
  expect(ever).toMatchObject({ peers: 1 })
  expect(ever.requests).toBeGreaterThan(3)
  await b.stop()
  const kept = join(dataDir, 'shares.json')
  expect((await stat(kept)).mode & 0o777).toBe(OWNER_FILE)
  expect(JSON.parse(await readFile(kept, 'utf8'))).toMatchObject({ shares: [{ port: ollama.port, models: [MODEL] }] })

  b = await startDonor()

  await untilListed(a.gateway, MODEL)
  expect(await modelIds(a.gateway)).toEqual([MODEL])
  expect((await donor.call('ledger.summary', {})).ever).toEqual(ever)
  const csv = await runOcf(['ledger', '--csv', '--data-dir', dataDir])
  expect(csv.stdout.split('\r\n')[0]).toBe('day,model,peer,requests,failed,tokensIn,tokensOut,tokensEstimated')
  expect(csv.stdout).toContain(`,${MODEL},${a.peerId},`)
})

test('one real request tells the time of each leg', async () => {
  // An answer without a token is a failure.
  ollama.model.routes['POST /v1/chat/completions'] = () => ({
    body: { choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }] },
  })
  const result = await runOcf(['test', MODEL, '--json', '--data-dir', a.dataDir])
  expect(JSON.parse(result.stdout)).toMatchObject({
    ok: true,
    answeredBy: b.peerId,
    tries: 1,
    legs: [{ name: 'select' }, { name: 'connect' }, { name: 'ttfb' }],
  })
  const failed = await runOcf(['test', 'no-such-model', '--data-dir', a.dataDir])
  expect(failed).toMatchObject({ code: 1, stdout: expect.stringContaining('model_not_found') })
})

test('a stopped share is gone from the network', async () => {
  expect((await runOcf(['unshare', '--data-dir', dataDir])).stdout).toContain('no longer shared')
  await until(async () => (await modelIds(a.gateway)).length === 0, { what: 'A drops it' })
  expect(await donor.call('shares.list', {})).toEqual([])
})

test('no path on the owner’s disk reaches a peer, neither in a list nor in an answer', async () => {
  const server = await startStandIn(LLAMA_CPP())
  const path = '/home/anna/models/Qwen3-8B-Q4_K_M.gguf'
  server.model.routes['POST /v1/chat/completions'] = (_, body) => ({
    body: { model: (JSON.parse(body) as { model: string }).model, choices: [], system_fingerprint: path },
  })
  const { id } = await donor.call('shares.add', { port: server.port, models: [path], visibility: 'everyone' })
  await untilListed(a.gateway, 'Qwen3-8B-Q4_K_M.gguf')

  const answer = await ask('Qwen3-8B-Q4_K_M.gguf')
  const list = await viaPeer('/v1/models', { method: 'GET' })

  expect(answer).toMatchObject({ status: 200, json: { model: 'Qwen3-8B-Q4_K_M.gguf' } })
  expect(JSON.stringify([answer, list])).not.toContain('anna')
  expect((await ask(path)).json.error?.code).toBe('model_not_found')
  await donor.call('shares.remove', { id })
  await server.close()
})

describe('a server with long answers', () => {
  const share = (port: number) => donor.call('shares.add', { port, models: 'all', visibility: 'everyone' })

  /** Streams an event each time it is told to; to other questions it has no answer. */
  async function startStreamingServer(): Promise<ModelServerFixture & { send(text: string): void; end(): void }> {
    const opened = Promise.withResolvers<ServerResponse>()
    const server = await startModelServer({
      async answer(request, response) {
        if (request.method !== 'POST') return void response.writeHead(404).end()
        await readBody(request)
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
        opened.resolve(response)
      },
    })
    return {
      ...server,
      send: (text) => void opened.promise.then((response) => response.write(sseChunk(text))),
      end: () => void opened.promise.then((response) => response.end('data: [DONE]\n\n')),
    }
  }

  /** How often A began to leave a provider alone. */
  const quarantines = () => a.stderr().split('left alone for a while').length - 1

  async function openStream(model: string): Promise<ReadableStreamDefaultReader<Uint8Array>> {
    const response = await fetch(`${a.gateway}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...chatBody(model), stream: true }),
    })
    expect(response.status).toBe(200)
    return response.body!.getReader()
  }

  async function rest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
    let text = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text
      text += new TextDecoder().decode(value)
    }
  }

  test('a pause lets a running stream end, or cuts it after its grace', async () => {
    const server = await startStreamingServer()
    const { id } = await share(server.port)
    await untilListed(a.gateway, 'test-model')
    const reader = await openStream('test-model')
    server.send('one')
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('one')

    expect(await donor.call('pause.set', { forMs: null })).toMatchObject({ running: 1, cutAtMs: null })
    server.send('two')
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('two')
    await donor.call('pause.set', { forMs: null, cutAfterMs: 50 })

    const end = await rest(reader)
    expect(end).toMatch(/event: error\ndata: .*its owner has paused sharing.*"code":"no_provider"/)
    expect(end).not.toContain('[DONE]')
    await server.nextAbort()
    await until(async () => (await donor.call('pause.get', {})).running === 0, { what: 'the place is free' })

    // Nothing failed: A comes back to B with the end of the pause.
    await donor.call('pause.resume', {})
    await untilListed(a.gateway, 'test-model')
    await until(() => a.stderr().includes('its owner has paused sharing'), { what: 'A logs why' })
    expect(quarantines()).toBe(0)
    await donor.call('shares.remove', { id })
    await server.close()
  })

  test('a pause that cuts is a plain refusal for who has got nothing yet', async () => {
    const server = await startModelServer({ answer: () => new Promise(() => undefined) })
    const { id } = await share(server.port)
    await until(async () => (await donor.call('shares.list', {}))[0]?.status === 'connected', { what: 'it is there' })
    const asked = viaPeer('/v1/chat/completions', { body: chatBody('test-model') })
    await server.nextRequest()

    await donor.call('pause.set', { forMs: null, cutAfterMs: 1 })

    expect(await asked).toMatchObject({ status: 503, json: { error: { code: 'no_provider' } }, retryAfter: '60' })
    await server.nextAbort()
    await donor.call('pause.resume', {})
    await untilListed(a.gateway, 'test-model')
    await donor.call('shares.remove', { id })
    await server.close()
  })

  test('a request of the owner starts before one of a peer that waits', async () => {
    const order: string[] = []
    const first = Promise.withResolvers<ServerResponse>()
    const server = await startModelServer({
      models: ['test-model'],
      async answer(request, response) {
        if (request.method !== 'POST') return void response.writeHead(404).end()
        const { who } = JSON.parse((await readBody(request)).toString()) as { who: string }
        order.push(who)
        if (who === 'peer 1') first.resolve(response)
        else response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
      },
    })
    const { id } = await share(server.port)
    await donor.call('limits.set', { concurrent: 1 })
    await until(async () => (await donor.call('shares.list', {}))[0]?.status === 'connected', { what: 'it is there' })
    const body = (who: string) => ({ ...chatBody('test-model'), who })
    const running = viaPeer('/v1/chat/completions', { body: body('peer 1') })
    const held = await first.promise
    const waiting = viaPeer('/v1/chat/completions', { body: body('peer 2') })
    await until(async () => (await donor.call('limits.get', {})).queue.used === 1, { what: 'peer 2 waits' })

    const own = await fetch(`${b.gateway}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body('owner')),
    })

    expect(own.status).toBe(200)
    expect(order).toEqual(['peer 1', 'owner'])
    held.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
    expect([(await running).status, (await waiting).status]).toEqual([200, 200])
    expect(order).toEqual(['peer 1', 'owner', 'peer 2'])
    await donor.call('limits.set', { concurrent: 4 })
    await donor.call('shares.remove', { id })
    await server.close()
  })

  test('a peer has its tokens of a day: what runs ends, more is refused until midnight, and a restart forgets nothing', async () => {
    const server = await startStreamingServer()
    const { id } = await share(server.port)
    await untilListed(a.gateway, 'test-model')
    const usedToday = async (): Promise<number> =>
      (await donor.call('ledger.rows', { days: 1 }))
        .filter(({ peer }) => peer === a.peerId)
        .reduce((sum, { tokensIn, tokensOut }) => sum + tokensIn + tokensOut, 0)
    const before = await usedToday()
    await donor.call('limits.set', { tokensPerDay: before + 1 })
    const reader = await openStream('test-model')
    server.send('one')
    await reader.read()
    await donor.call('limits.set', { tokensPerDay: Math.max(1, before) })
    server.send('two')
    server.end()
    expect(await rest(reader)).toContain('two')
    await until(async () => (await usedToday()) > before, { what: 'the ledger has it' })

    const refused = await ask('test-model')
    expect(refused).toMatchObject({ status: 429, json: { error: { code: 'rate_limited' } } })
    expect(Number(refused.retryAfter)).toBeGreaterThan(0)
    expect(Number(refused.retryAfter)).toBeLessThanOrEqual(25 * 3600)
    expect((await viaPeer('/v1/models', { method: 'GET' })).status).toBe(200)
    expect((await donor.call('limits.get', {})).limits.tokensPerDay).toBe(Math.max(1, before))

    await b.stop()
    b = await startDonor()
    await untilListed(a.gateway, 'test-model')
    expect((await ask('test-model')).json.error?.code).toBe('rate_limited')
    const own = await fetch(`${b.gateway}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...chatBody('test-model'), stream: true }),
    })
    expect(own.status).toBe(200)
    await own.body?.cancel()
    await donor.call('limits.set', { tokensPerDay: 0 })
    await (await openStream('test-model')).cancel()
    await donor.call('shares.remove', { id })
    await server.close()
  })

  test('a crash in the middle of a stream is an error for the client, and the model is back with the server', async () => {
    const server = await startStreamingServer()
    const { id } = await share(server.port)
    await untilListed(a.gateway, 'test-model')
    const reader = await openStream('test-model')
    server.send('one')
    await reader.read()

    await server.close()

    expect(await rest(reader)).toContain('event: error')
    await until(async () => (await donor.call('shares.list', {}))[0]?.status === 'down', { what: 'it is withdrawn' })
    await until(async () => (await modelIds(a.gateway)).length === 0, { what: 'A drops it' })
    // The model's server died; B itself is well, and so is whatever else it offers.
    expect(quarantines()).toBe(0)
    const again = await startModelServer({ port: server.port, models: ['test-model', 'second'] })
    await untilListed(a.gateway, 'second', 15_000)
    expect(await modelIds(a.gateway)).toEqual(['second', 'test-model'])
    await donor.call('shares.remove', { id })
    await again.close()
  })
})
