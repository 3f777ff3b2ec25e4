import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startEventServer } from '../fixtures/model-servers/event-server.js'
import { startModelServer, readBody, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { chat, flagsToJoin, llmFlags, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

/** What the server behind a provider does with requests; a test sets it. */
interface Provider {
  node: NodeProcess
  server: ModelServerFixture
  behave: (request: IncomingMessage) => { status: number; retryAfterS?: number } | 'reset'
}

const FINE: Provider['behave'] = () => ({ status: 200 })

let user: NodeProcess
let one: Provider
let two: Provider

async function startProvider(): Promise<Provider> {
  const provider: Partial<Provider> = { behave: FINE }
  provider.server = await startModelServer({
    async answer(request, response) {
      const body = await readBody(request)
      const behaviour = provider.behave!(request)
      if (behaviour === 'reset') {
        response.socket?.resetAndDestroy()
        return
      }
      const { status, retryAfterS } = behaviour
      response.writeHead(status, {
        'content-type': 'application/json',
        ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }),
      })
      response.end(status === 200 ? body : JSON.stringify({ error: { message: 'no', code: 'theirs' } }))
    },
  })
  provider.node = await startNodeProcess({
    flags: [...flagsToJoin(user), '--demo-model', 'off', ...llmFlags(provider.server.port)],
  })
  return provider as Provider
}

const providersOf = async (model: string): Promise<number> => {
  const response = await fetch(`${user.gateway}/v1/models`)
  const { data } = (await response.json()) as { data: { id: string; ocf: { providers: number } }[] }
  return data.find(({ id }) => id === model)?.ocf.providers ?? 0
}

beforeAll(async () => {
  user = await startNodeProcess({ flags: ['--demo-model', 'off'] })
  ;[one, two] = await Promise.all([startProvider(), startProvider()])
  await untilListed(user.gateway, 'test-model', 10_000)
  await until(async () => (await providersOf('test-model')) === 2, { what: 'both providers are known' })
})

afterEach(() => {
  one.behave = two.behave = FINE
})

afterAll(async () => {
  await Promise.all([one.node.stop(), two.node.stop()])
  await Promise.all([one.server.close(), two.server.close()])
  await user.stop()
})

/** Asks with a wish for the provider that is not well, so that it is tried first. */
async function askPreferring(provider: Provider): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-ocf-prefer': provider.node.peerId }
  const response = await chat(user.gateway, { model: 'test-model' }, { headers })
  expect(response.status).toBe(200)
  expect(response.headers.get('x-ocf-tries')).toBe('2')
  return response
}

describe('of two providers', () => {
  test.each([429, 502, 503, 504])('one that answers %i is passed over for the other', async (status) => {
    one.behave = () => ({ status, retryAfterS: 3 })
    const response = await askPreferring(one)
    expect(response.headers.get('x-computing-node')).toBe(two.node.peerId)
    expect(await response.json()).toMatchObject({ model: 'test-model' })
  })

  test.each([429, 503])('both answering %i is told with both names', async (status) => {
    one.behave = () => ({ status, retryAfterS: 9 })
    two.behave = () => ({ status, retryAfterS: 4 })
    const response = await chat(user.gateway, { model: 'test-model' })
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    expect(`${response.status} ${error.code}`).toBe(status === 429 ? '429 provider_busy' : '503 no_provider')
    expect(response.headers.get('retry-after')).toBe('4')
    expect(error.message).toContain(one.node.peerId)
    expect(error.message).toContain(two.node.peerId)
  })

  test.each([401, 403, 307])('an answer of %i is between a server and its node: others are asked', async (status) => {
    one.behave = two.behave = () => ({ status })
    const before = one.server.requests.length + two.server.requests.length
    const response = await chat(user.gateway, { model: 'test-model' })
    const text = await response.text()
    expect([response.status, text]).toEqual([502, expect.stringContaining('"code":"upstream_failed"')])
    expect(text).not.toContain('theirs')
    expect(one.server.requests.length + two.server.requests.length).toBe(before + 2)
  })

  test.each([400, 404, 422, 500])('an answer of %i is the answer: nobody else is asked', async (status) => {
    one.behave = two.behave = () => ({ status })
    const before = one.server.requests.length + two.server.requests.length
    const response = await chat(user.gateway, { model: 'test-model' })
    expect(response.status).toBe(status)
    expect(response.headers.get('x-ocf-tries')).toBe('1')
    expect(await response.json()).toEqual({ error: { message: 'no', code: 'theirs' } })
    expect(one.server.requests.length + two.server.requests.length).toBe(before + 1)
  })

  test('a streamed body that was read is not sent a second time', async () => {
    one.behave = two.behave = () => ({ status: 503 })
    const before = one.server.requests.length + two.server.requests.length
    const request = httpRequest(`${user.gateway}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=B', 'x-ocf-identity-group': 'model=test-model' },
    })
    request.end(upload(Buffer.alloc(3_000_000)))
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    expect(response.statusCode).toBe(503)
    const { error } = JSON.parse((await readBody(response)).toString()) as { error: { code: string } }
    expect(error.code).toBe('no_provider')
    expect(one.server.requests.length + two.server.requests.length).toBe(before + 1)
  })

  test('a streamed body reaches one of them whole', async () => {
    const sound = Buffer.alloc(3_000_000, 'w')
    const response = await fetch(`${user.gateway}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=B', 'x-ocf-identity-group': 'model=test-model' },
      body: upload(sound),
    })
    expect(response.status).toBe(200)
    expect(Buffer.from(await response.arrayBuffer()).includes(sound)).toBe(true)
  })

  test('one whose server breaks the connection is passed over', async () => {
    one.behave = () => 'reset'
    const response = await askPreferring(one)
    expect(response.headers.get('x-computing-node')).toBe(two.node.peerId)
  })
})

/** A form with the boundary `B`. */
function upload(sound: Buffer): Buffer<ArrayBuffer> {
  const model = '--B\r\nContent-Disposition: form-data; name="model"\r\n\r\ntest-model\r\n'
  const file = '--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
  return Buffer.concat([Buffer.from(model + file), sound, Buffer.from('\r\n--B--\r\n')])
}

describe('identity groups of a generic service', () => {
  let exact: NodeProcess
  let wildcard: NodeProcess
  let all: NodeProcess
  let server: ModelServerFixture

  beforeAll(async () => {
    server = await startModelServer({
      answer: (_request, response) => void response.writeHead(200, { etag: '"b"' }).end('{}'),
    })
    const offering = (...groups: string[]): Promise<NodeProcess> =>
      startNodeProcess({
        flags: [
          ...[
            ...flagsToJoin(user),
            '--demo-model',
            'off',
            '--service.name',
            'tool',
            '--service.port',
            `${server.port}`,
          ],
          ...groups.flatMap((group) => ['--service.identity-group', group]),
        ],
      })
    ;[exact, wildcard, all] = await Promise.all([offering('lang=de=at'), offering('lang=*'), offering('all')])
    await until(
      async () => {
        const table = (await (await fetch(`${user.gateway}/v1/dnt/table`)).json()) as Record<
          string,
          { service: { name: string; status: string }[] | null }
        >
        return (
          Object.values(table).filter(({ service }) =>
            service?.some(({ name, status }) => name === 'tool' && status === 'connected'),
          ).length === 3
        )
      },
      { what: 'all three offer the tool', limitMs: 15_000 },
    )
  })

  afterAll(async () => {
    await Promise.all([exact.stop(), wildcard.stop(), all.stop()])
    await server.close()
  })

  const ask = async (lang: unknown, headers: Record<string, string> = {}): Promise<string> => {
    const response = await fetch(`${user.gateway}/v1/service/tool/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ lang }),
    })
    const text = await response.text()
    if (response.status === 200) return response.headers.get('x-computing-node') ?? ''
    return `${response.status} ${(JSON.parse(text) as { error: { code: string } }).error.code}`
  }

  test('match in the best tier that the fallback opens', async () => {
    for (const fallback of ['0', '1', '2']) {
      expect(await ask('de=at', { 'x-ocf-fallback': fallback })).toBe(exact.peerId)
    }
    expect(await ask('fr')).toBe('503 no_provider')
    expect(await ask('fr', { 'x-ocf-fallback': '1' })).toBe(wildcard.peerId)
    expect(await ask('fr', { 'x-otela-fallback': '1' })).toBe(wildcard.peerId)
    expect(await ask('fr', { 'x-ocf-fallback': '2' })).toBe(wildcard.peerId)
    expect(await ask({ not: 'scalar' }, { 'x-ocf-fallback': '1' })).toBe('503 no_provider')
    expect(await ask({ not: 'scalar' }, { 'x-ocf-fallback': '2' })).toBe(all.peerId)
    expect(await ask('fr', { 'x-ocf-fallback': 'yes' })).toBe('503 no_provider')
    expect(await ask('*')).toBe('503 no_provider')
  })

  test('are given by a header where there is no body', async () => {
    const response = await fetch(`${user.gateway}/v1/service/tool/run`, {
      headers: { 'x-ocf-identity-group': 'lang=de=at' },
    })
    expect(response.headers.get('x-computing-node')).toBe(exact.peerId)
    expect(response.headers.get('etag')).toBe('"b"')
  })
})

describe('a node that is stopped', () => {
  test('finishes the answer it is giving, and takes no new one', async () => {
    const stepping = await startEventServer('slow-model')
    const provider = await startNodeProcess({
      flags: [...flagsToJoin(user), '--demo-model', 'off', ...llmFlags(stepping.port)],
    })
    try {
      await untilListed(user.gateway, 'slow-model', 10_000)
      const response = await chat(user.gateway, { model: 'slow-model', stream: true })
      const reader = response.body!.getReader()
      stepping.send('first')
      await reader.read()
      const stopped = provider.stop()
      await until(async () => (await providersOf('slow-model')) === 0, { what: 'it has withdrawn' })
      stepping.end()
      let rest = ''
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        rest += new TextDecoder().decode(part.value)
      }
      expect(rest).toContain('data: [DONE]')
      expect(rest).not.toContain('event: error')
      const { code, ms } = await stopped
      expect(code).toBe(0)
      expect(ms).toBeLessThan(10_000)
    } finally {
      await provider.stop()
      await stepping.close()
    }
  })

  test('cuts what is still running in the end, and says so', async () => {
    const stepping = await startEventServer('endless-model')
    const node = await startNodeProcess({
      flags: ['--mode', 'standalone', '--demo-model', 'off', ...llmFlags(stepping.port)],
    })
    try {
      await untilListed(node.gateway, 'endless-model', 10_000)
      const response = await chat(node.gateway, { model: 'endless-model', stream: true })
      stepping.send('first')
      const [text, { code, ms }] = await Promise.all([response.text(), node.stop()])
      expect(text).toMatch(/first[^]*\n\nevent: error\ndata: \{"error":/)
      expect(text).not.toContain('[DONE]')
      expect(code).toBe(0)
      expect(ms).toBeLessThan(10_000)
    } finally {
      await node.stop()
      await stepping.close()
    }
  })
})

// Last: it leaves one provider only.
test('when one provider is killed while idle, the other answers', async () => {
  for (let turn = 0; turn < 6; turn += 1) {
    expect((await chat(user.gateway, { model: 'test-model' })).status).toBe(200)
  }
  await one.node.kill()
  for (let turn = 0; turn < 6; turn += 1) {
    const startedAt = performance.now()
    const response = await chat(user.gateway, { model: 'test-model' })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-computing-node')).toBe(two.node.peerId)
    expect(Number(response.headers.get('x-ocf-tries'))).toBeLessThanOrEqual(2)
    expect(performance.now() - startedAt).toBeLessThan(12_000)
  }
})
