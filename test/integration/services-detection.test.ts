import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import type { DetectedServer, ServerKind } from '#shared/contract/sharing/detection.js'
import { createDetector, type Candidate, type Detector } from '../../src-main/services/detection/index.js'
import { startBareServer } from '../fixtures/bare-server.js'
import * as servers from '../fixtures/model-servers/stand-ins/servers.js'
import { startStandIn, type StandIn, type StandInModel } from '../fixtures/model-servers/stand-ins/stand-in.js'
import { createRecordingLog } from '../fixtures/recording-log.js'
import { until } from '../fixtures/until.js'

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function started(model: StandInModel, options?: { host?: string; port?: number }): Promise<StandIn> {
  const server = await startStandIn(model, options)
  cleanups.push(() => server.close())
  return server
}

interface Around {
  keys?: Record<string, string>
  shared?: Record<string, string>
  ownPorts?: number[]
  allowRemoteTarget?: boolean
  answerMs?: number
  watchedMs?: number
}

function detectorOf(candidates: Candidate[], around: Around = {}): Detector {
  const { keys = {}, shared = {}, ownPorts = [], ...options } = around
  const detector = createDetector(
    {
      log: createRecordingLog(),
      keyFor: (address) => keys[address],
      sharedAs: (address) => shared[address],
      remembered: () => undefined,
      ownPorts: () => ownPorts,
      hopHeaders: { 'x-ocf-hops': 'own-peer-id' },
    },
    { candidates, answerMs: 10_000, connectMs: 10_000, ...options },
  )
  cleanups.push(() => detector.stop())
  return detector
}

async function found(model: StandInModel, candidate: Partial<Candidate> = {}): Promise<DetectedServer | undefined> {
  const { port } = await started(model)
  const [server] = await detectorOf([{ port, ...candidate }]).scan()
  return server
}

const TWELVE: [string, () => StandInModel, Partial<DetectedServer>][] = [
  ['Ollama', servers.OLLAMA, { kind: 'ollama', version: '0.13.1', state: 'ready' }],
  ['llama.cpp', servers.LLAMA_CPP, { kind: 'llama.cpp', version: 'b7100-0de0a015', state: 'ready' }],
  ['vLLM', servers.VLLM, { kind: 'vllm', version: '0.11.2', load: { running: 2, waiting: 0 }, state: 'ready' }],
  ['SGLang', servers.SGLANG, { kind: 'sglang', version: '0.5.5', load: { running: 8, waiting: 3 }, state: 'busy' }],
  ['LM Studio', servers.LM_STUDIO, { kind: 'lm-studio', state: 'ready' }],
  ['LocalAI', servers.LOCALAI, { kind: 'localai', version: 'v3.7.0 (9f0d1a2)', state: 'ready' }],
  ['Text Generation Inference', servers.TGI, { kind: 'tgi', version: '3.3.5', load: { running: 1, waiting: 0 } }],
  ['KoboldCpp', servers.KOBOLDCPP, { kind: 'koboldcpp', version: '1.101.1', load: { running: 0, waiting: 0 } }],
  ['Docker Model Runner', servers.DOCKER_MODEL_RUNNER, { kind: 'docker-model-runner', state: 'ready' }],
  ['Lemonade', servers.LEMONADE, { kind: 'lemonade', version: '9.3.3', state: 'ready' }],
  ['LMDeploy', servers.LMDEPLOY, { kind: 'lmdeploy', state: 'ready' }],
  ['OpenAI-compatible server', servers.SOME_SERVER, { kind: 'openai-compatible', state: 'ready' }],
]

test.each(TWELVE)('%s is found and named right', async (name, model, expected) => {
  expect(await found(model())).toMatchObject({ name, ...expected, problem: null, typed: false })
})

test('all of them at once are told apart, and none is made to work', async () => {
  const running = await Promise.all(TWELVE.map(([, model]) => started(model())))
  const detector = detectorOf(running.map(({ port }) => ({ port })))

  const all = await detector.scan()

  const kinds = new Map(all.map(({ port, kind }) => [port, kind]))
  expect(running.map(({ port }) => kinds.get(port))).toEqual(TWELVE.map(([, , { kind }]) => kind))
  expect(running.flatMap(({ work }) => work)).toEqual([])
  const health = running.filter(({ model }) => JSON.stringify(model.routes['GET /health'] ?? {}).includes('MUST NOT'))
  expect(health).toHaveLength(2)
  for (const { seen } of health) expect(seen).not.toContain('GET /health')
})

test('what is known costs one list and at most one more question a scan', async () => {
  const running = await Promise.all(TWELVE.map(([, model]) => started(model())))
  const detector = detectorOf(running.map(({ port }) => ({ port })))
  await detector.scan()
  for (const { seen } of running) seen.length = 0

  await detector.scan()

  for (const { seen } of running) {
    expect(seen.filter((name) => name.endsWith('/v1/models'))).toHaveLength(1)
    expect(seen.length).toBeLessThanOrEqual(2)
  }
})

test('models are told with size, context and quantisation where the server tells', async () => {
  expect((await found(servers.OLLAMA()))?.models[0]).toEqual({
    id: 'llama3.2:latest',
    contextLength: null,
    quantisation: 'Q4_K_M',
    sizeBytes: 2_019_393_189,
    parameters: '3.2B',
    loaded: true,
  })
  expect((await found(servers.LLAMA_CPP()))?.models[0]).toMatchObject({
    contextLength: 16_384,
    quantisation: 'Q4_K_M',
    sizeBytes: 5_021_802_496,
    parameters: '8.2B',
  })
  expect((await found(servers.VLLM()))?.models[0]).toMatchObject({ contextLength: 32_768, quantisation: 'AWQ' })
  expect((await found(servers.LM_STUDIO()))?.models).toMatchObject([
    { contextLength: 8192, quantisation: 'Q4_K_M', loaded: true },
    { contextLength: 2048, loaded: false },
  ])
  expect((await found(servers.DOCKER_MODEL_RUNNER()))?.models[0]).toMatchObject({
    quantisation: 'IQ2_XXS/Q4_K_M',
    sizeBytes: 268_802_458,
    loaded: false,
  })
})

test('Jan wants its key on its port, and is there once the key is known', async () => {
  const { port } = await started(servers.JAN())
  const candidates = [{ port, expectedKind: 'jan' as ServerKind }]
  expect(await detectorOf(candidates).scan()).toMatchObject([{ name: 'Jan', state: 'needs-key', models: [] }])

  const withKey = detectorOf(candidates, { keys: { [`127.0.0.1:${port}`]: 'jan-secret' } })

  expect(await withKey.scan()).toMatchObject([{ name: 'Jan', state: 'ready', models: [{ id: 'jan-v1-4b' }] }])
})

test('a vLLM that wants a key is named by what it leaves open', async () => {
  const model = { ...servers.VLLM(), key: 'secret', open: ['GET /version', 'GET /health'] }
  expect(await found(model)).toMatchObject({ name: 'vLLM', version: '0.11.2', state: 'needs-key' })
})

test('a llama.cpp whose list is open and whose answers want a key wants it, until the right one is known', async () => {
  const { port } = await started(servers.LOCKED_LLAMA_CPP())
  const candidates = [{ port }]
  expect(await detectorOf(candidates).scan()).toMatchObject([{ name: 'llama.cpp', state: 'needs-key' }])
  const keys = (key: string) => ({ keys: { [`127.0.0.1:${port}`]: key } })
  expect(await detectorOf(candidates, keys('wrong')).scan()).toMatchObject([
    { state: 'needs-key', problem: 'It does not take the key that was given.' },
  ])
  expect(await detectorOf(candidates, keys('sekret')).scan()).toMatchObject([{ state: 'ready', problem: null }])
})

test.each(['gzip', 'deflate', 'br', 'zstd'])('a list that comes in %s unasked is read', async (coding) => {
  const packers = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync }
  const list = JSON.stringify({ object: 'list', data: [{ id: 'packed', object: 'model' }] })
  let asked: string | undefined
  const server = createServer((request, response) => {
    asked = request.headers['accept-encoding']
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': coding })
    response.end(packers[coding as keyof typeof packers](list))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  expect(await detectorOf([{ port }]).scan()).toMatchObject([{ models: [{ id: 'packed' }] }])
  expect(asked).toBe('identity')
})

test('the list in 16-list-gzip-unasked.answer is read, whole or byte by byte', async () => {
  const bytes = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'cases', '16-list-gzip-unasked.answer'))
  for (const pieces of [[bytes], [...bytes].map((byte) => Buffer.of(byte))]) {
    const server = await startBareServer((socket) => {
      for (const piece of pieces) socket.write(piece)
      socket.end()
    })
    cleanups.push(() => {
      server.close()
      return Promise.resolve()
    })
    expect(await detectorOf([{ port: server.port }]).scan()).toMatchObject([{ state: 'ready', models: [{ id: 'a' }] }])
  }
})

test('a list of models that is too long is said to be that', async () => {
  const data = [{ id: 'a', note: 'x'.repeat(5 * 1024 * 1024) }]
  const { port } = await started({ routes: { 'GET /v1/models': { body: { object: 'list', data } } } })
  const typed = await detectorOf([]).typeIn({ host: '127.0.0.1', port })
  expect(typed).toMatchObject({ state: 'not-found', problem: expect.stringContaining('too long') as string })
})

test('models of Ollama that run elsewhere are marked, and the context of the others is told', async () => {
  const ollama = servers.OLLAMA()
  const cloud = { id: 'gpt-oss:120b-cloud', object: 'model', created: 1_731_000_002, owned_by: 'library' }
  const here = { id: 'llama3.2:latest', object: 'model', created: 1_731_000_000, owned_by: 'library' }
  const tags = [
    { name: cloud.id, digest: 'd1', size: 291, remote_host: 'https://ollama.com:443', remote_model: 'gpt-oss:120b' },
    { name: here.id, digest: 'd2', size: 2_019_393_189, details: { context_length: 131_072, parameter_size: '3.2B' } },
  ]
  const view = await found({
    routes: {
      ...ollama.routes,
      'GET /v1/models': { body: { object: 'list', data: [cloud, here] } },
      'GET /api/tags': { body: { models: tags } },
    },
  })
  expect(view?.models).toMatchObject([
    { id: cloud.id, cloud: true },
    { id: here.id, contextLength: 131_072, parameters: '3.2B' },
  ])
  expect(view?.models[1]).not.toHaveProperty('cloud')
})

test.each<[string, StandInModel['routes']]>([
  ['a chat page on llama.cpp’s port', servers.OPEN_WEBUI().routes],
  ['a page behind a login', { '*': { status: 403, type: 'text/html', body: '<html><head>Log in</head></html>' } }],
  ['half a JSON', { 'GET /v1/models': { type: 'application/json', body: '{"object":"list","data":[{"id":"a"' } }],
  ['JSON without a list', { 'GET /v1/models': { body: { ok: true } } }],
  ['a list of something else', { 'GET /v1/models': { body: { data: [{ name: 'x' }, 3] } } }],
  ['an error body', { 'GET /v1/models': { body: { error: 'Unexpected endpoint or method. (GET /v1/models)' } } }],
  ['500', { 'GET /v1/models': { status: 500, body: 'oops' } }],
  [
    '503 of a proxy',
    { 'GET /v1/models': { status: 503, type: 'text/html', body: '<html>Service Unavailable</html>' } },
  ],
  [
    'a redirect to another host',
    { '*': { status: 302, headers: { location: 'http://192.0.2.1/v1/models' }, body: '' } },
  ],
  ['8 MiB', { 'GET /v1/models': { type: 'application/json', body: `{"data":["${'x'.repeat(8 * 1024 * 1024)}"]}` } }],
])('%s is no model server', async (_, routes) => {
  expect(await found({ routes })).toBeUndefined()
})

const MIB = 1024 * 1024

/** Answers with what `model` says, but 100 MiB of JSON at the paths in `huge`; counts what could be sent of it. */
async function startHugeAnswers(
  model: StandInModel,
  huge: string[],
  options: { length: boolean },
): Promise<{ port: number; sentBytes: () => number; cut: () => number }> {
  const block = Buffer.alloc(64 * 1024, 'x')
  const count = (100 * MIB) / block.length
  let sent = 0
  let cut = 0
  const server = createServer((request, response) => {
    const name = `${request.method} ${request.url}`
    if (!huge.includes(name)) {
      const answer = model.routes[name]
      const body = typeof answer === 'function' ? answer(request, '').body : answer?.body
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json', ...model.headers })
      return void response.end(typeof body === 'string' ? body : JSON.stringify(body))
    }
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(options.length ? { 'content-length': block.length * count } : {}),
    })
    const blocks = function* (): Generator<Buffer> {
      for (let left = count; left > 0; left -= 1) {
        sent += block.length
        yield block
      }
    }
    pipeline(Readable.from(blocks(), { objectMode: false }), response).catch(() => (cut += 1))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  return { port: (server.address() as AddressInfo).port, sentBytes: () => sent, cut: () => cut }
}

test.each([
  ['with its length', { length: true }],
  ['in chunks', { length: false }],
])('a list of models of 100 MiB (%s) is cut early, and is no model server', async (_, options) => {
  const server = await startHugeAnswers({ routes: {} }, ['GET /v1/models'], options)

  expect(await detectorOf([{ port: server.port }], { answerMs: 10_000 }).scan()).toEqual([])

  await until(() => server.cut() === 1, { what: 'the server saw the cut' })
  // 4 MiB are read; what is above them went into the buffers of both sockets.
  expect(server.sentBytes()).toBeGreaterThan(4 * MIB)
  expect(server.sentBytes()).toBeLessThan(50 * MIB)
})

test('a server with 100 MiB for an answer to another question is cut early, and stays one', async () => {
  const huge = ['GET /api/version', 'GET /api/tags', 'GET /api/ps']
  const server = await startHugeAnswers(servers.OLLAMA(), huge, { length: false })

  const [seen] = await detectorOf([{ port: server.port }], { answerMs: 10_000 }).scan()

  expect(seen?.models.map(({ id }) => id)).toContain('llama3.2:latest')
  await until(() => server.cut() > 0, { what: 'the server saw the cut' })
  expect(server.sentBytes()).toBeLessThan(huge.length * 50 * MIB)
})

test('ports of programs that speak no HTTP, never answer or are closed are no model servers', async () => {
  const banner = createTcpServer((socket) => socket.end('220 mail.example ESMTP\r\n'))
  const silent = createTcpServer(() => undefined)
  const sockets = new Set<{ destroy(): void }>()
  for (const server of [banner, silent]) {
    server.on('connection', (socket) => sockets.add(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(resolve))
    })
  }
  const closed = await started(servers.OLLAMA())
  await closed.close()
  const ports = [banner, silent].map((server) => (server.address() as AddressInfo).port)

  expect(
    await detectorOf(
      [...ports, closed.port].map((port) => ({ port })),
      { answerMs: 100 },
    ).scan(),
  ).toEqual([])
})

test('a server on the IPv6 loopback only is found there', async () => {
  const { port } = await started(servers.VLLM(), { host: '::1' })
  expect(await detectorOf([{ port }]).scan()).toMatchObject([{ address: `[::1]:${port}`, name: 'vLLM' }])
})

test('a llama.cpp that loads its model is starting, and one asleep is not woken', async () => {
  const server = await started(servers.LLAMA_CPP())
  const { routes } = server.model
  const models = routes['GET /v1/models']!
  routes['GET /v1/models'] = {
    status: 503,
    body: { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } },
  }
  const detector = detectorOf([{ port: server.port }])
  expect(await detector.scan()).toMatchObject([{ kind: 'llama.cpp', state: 'starting' }])

  routes['GET /v1/models'] = models
  routes['GET /props'] = { body: { total_slots: 4, is_sleeping: true } }
  server.seen.length = 0
  detector.follow(() => undefined)

  expect(await detector.scan()).toMatchObject([{ kind: 'llama.cpp', state: 'asleep', models: [{ loaded: false }] }])
  expect(server.seen).not.toContain('GET /slots')
})

test('load that counts as use is asked for only while a person watches', async () => {
  const server = await started(servers.LLAMA_CPP())
  const detector = detectorOf([{ port: server.port }])
  expect(await detector.scan()).toMatchObject([{ load: null }])
  expect(server.seen).not.toContain('GET /slots')

  detector.follow(() => undefined)

  expect(await detector.scan()).toMatchObject([{ load: { running: 1, waiting: 0 } }])
})

test('Ollama without a model says what to do', async () => {
  const model = servers.OLLAMA()
  model.routes['GET /v1/models'] = { body: { object: 'list', data: null } }
  expect(await found(model)).toMatchObject({
    kind: 'ollama',
    state: 'no-models',
    problem: 'Ollama answers, but it has no models yet. Pull one with `ollama pull llama3.2`.',
  })
})

test('a known server that is silent is busy, and gone once nothing listens', async () => {
  const server = await started(servers.OLLAMA())
  const detector = detectorOf([{ port: server.port }], { answerMs: 1_500 })
  await detector.scan()
  const { routes } = server.model
  const slow = createTcpServer(() => undefined)
  const { port } = server
  await server.close()
  slow.listen(port, '127.0.0.1')
  await once(slow, 'listening')
  const sockets = new Set<{ destroy(): void }>()
  slow.on('connection', (socket) => sockets.add(socket))

  expect(await detector.scan()).toMatchObject([{ kind: 'ollama', state: 'busy', models: [{}, {}] }])

  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => slow.close(resolve))
  expect(routes).toBeDefined()
  expect(await detector.scan()).toEqual([])
})

test('another model appears at the next scan', async () => {
  const server = await started(servers.SOME_SERVER())
  const detector = detectorOf([{ port: server.port }])
  await detector.scan()
  server.model.routes['GET /v1/models'] = { body: { data: [{ id: 'my-model' }, { id: 'new/model:1 %2F../x' }] } }

  const [view] = await detector.scan()

  expect(view?.models.map(({ id }) => id)).toEqual(['my-model', 'new/model:1 %2F../x'])
})

test('a server with 1,000 models is shown with all of them', async () => {
  const data = Array.from({ length: 1000 }, (_, index) => ({ id: `model-${index}`, owned_by: 'x' }))
  const view = await found({ routes: { 'GET /v1/models': { body: { object: 'list', data } } } })
  expect(view?.models).toHaveLength(1000)
})

test.each<[string, () => StandInModel]>([
  ['LiteLLM', servers.LITELLM],
  ['a gateway of this network', servers.OCF_GATEWAY],
  [
    'something in front of this very node',
    () => ({
      routes: {
        'GET /v1/models': ({ headers }) =>
          headers['x-ocf-hops'] === 'own-peer-id'
            ? { status: 508, body: { error: { code: 'loop_detected' } } }
            : { body: { data: [{ id: 'a' }] } },
      },
    }),
  ],
])('%s is refused: it would be a loop', async (_, model) => {
  const standIn = await started(model())
  const { port } = standIn
  const detector = detectorOf([{ port }])
  expect(await detector.scan()).toEqual([])
  // LiteLLM answers it by real requests to every server behind it.
  expect(standIn.seen).not.toContain('GET /health')

  const typed = await detector.typeIn({ host: '127.0.0.1', port })

  expect(typed).toMatchObject({ kind: 'gateway', state: 'unusable', typed: true })
  await expect(detector.inspect({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'invalid_service' })
})

test.each([
  ['169.254.169.254', 80],
  ['192.168.1.1', 80],
  ['example.com', 443],
  ['0.0.0.0', 8080],
  ['localhost.example', 80],
  ['127.0.0.1@192.168.1.1', 80],
  ['[::ffff:192.168.1.1]', 80],
  ['metadata/../x', 80],
])('%s is another machine or no host, and is not asked', async (host, port) => {
  const detector = detectorOf([])
  await expect(detector.typeIn({ host, port })).rejects.toMatchObject({ code: 'invalid_service' })
  await expect(detector.inspect({ host, port })).rejects.toMatchObject({ code: 'invalid_service' })
})

test('a port of this node itself is no target', async () => {
  const detector = detectorOf([], { ownPorts: [8092] })
  await expect(detector.typeIn({ host: 'localhost', port: 8092 })).rejects.toMatchObject({ code: 'invalid_service' })
})

const NEVER = new AbortController().signal

test.each<[string, StandInModel, boolean]>([
  ['a list at the usual path', servers.VLLM(), true],
  ['a list below /engines', servers.DOCKER_MODEL_RUNNER(), true],
  ['a list below /api', servers.LEMONADE(), true],
  ['a wish for a key', servers.JAN(), true],
  ['a model that still loads', { routes: { 'GET /v1/models': { status: 503, body: 'Loading model' } } }, true],
  ['a list without models', { routes: { 'GET /v1/models': { body: { object: 'list', data: [] } } } }, true],
  ['a gateway', servers.OCF_GATEWAY(), false],
  ['a web page', servers.OPEN_WEBUI(), false],
  ['a 503 of something else', { routes: { 'GET /v1/models': { status: 503, body: 'Out of order' } } }, false],
])('%s answers whether any model server runs here', async (_, model, expected) => {
  const { port } = await started(model)
  expect(await detectorOf([{ port }]).hasAnyServer(NEVER)).toBe(expected)
  expect(await detectorOf([{ port }], { ownPorts: [port] }).hasAnyServer(NEVER)).toBe(false)
})

test('whether any model server runs here is answered in a second, also past one that never answers', async () => {
  const silent = createTcpServer(() => undefined).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const sockets = new Set<{ destroy(): void }>()
  silent.on('connection', (socket) => sockets.add(socket))
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => silent.close(resolve))
  })
  const { port } = silent.address() as AddressInfo
  expect(await detectorOf([{ port }]).hasAnyServer(NEVER)).toBe(false)
  const { port: other } = await started(servers.VLLM())
  expect(await detectorOf([{ port }, { port: other }]).hasAnyServer(NEVER)).toBe(true)
})

test('a typed-in address stays in the list, with why nothing is there, until it is forgotten', async () => {
  const server = await started(servers.SOME_SERVER())
  const { port } = server
  await server.close()
  const detector = detectorOf([])

  const view = await detector.typeIn({ host: 'localhost', port })

  expect(view).toMatchObject({ state: 'not-found', problem: expect.stringContaining('nothing listens there') })
  expect(detector.servers()).toEqual([view])
  expect(detector.forget(view.address)).toBe(true)
  expect(detector.servers()).toEqual([])
})

test('scans repeat, and followers hear of what changed', async () => {
  const server = await started(servers.OLLAMA())
  const detector = detectorOf([{ port: server.port }], { watchedMs: 10 })
  let changes = 0
  detector.follow(() => (changes += 1))
  await detector.start(new AbortController().signal)
  await until(() => changes === 1, { what: 'the server is found' })

  await until(() => server.seen.filter((name) => name === 'GET /v1/models').length > 3, { what: 'more scans' })
  expect(changes).toBe(1)
  await server.close()

  await until(() => detector.servers().length === 0, { what: 'it is gone' })
  expect(changes).toBeGreaterThan(1)
})
