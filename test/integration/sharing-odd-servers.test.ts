import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { readBody, sseChunk, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { chat, modelIds, untilListed } from '../fixtures/node-pair.js'
import { until } from '../fixtures/until.js'

let asker: NodeInProcess
let provider: NodeInProcess
const cleanups: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  asker = await startNodeInProcess()
  provider = await startNodeInProcess({
    flags: { 'bootstrap.sources': [`${asker.gateway}/v1/dnt/bootstraps`] },
  })
})

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

afterAll(async () => {
  await provider.stop()
  await asker.stop()
})

async function shared(server: ModelServerFixture): Promise<void> {
  cleanups.push(() => server.close())
  const { id } = await provider.control.call('shares.add', { port: server.port, models: 'all', visibility: 'everyone' })
  cleanups.push(() => provider.control.call('shares.remove', { id }))
}

test('a request that runs while its server’s models change ends well, and the list follows', async () => {
  const opened = Promise.withResolvers<ServerResponse>()
  const server = await startModelServer({
    models: ['before', 'stays'],
    async answer(request, response) {
      if (request.method !== 'POST') return void response.writeHead(404).end()
      const { stream } = JSON.parse((await readBody(request)).toString()) as { stream?: boolean }
      if (stream !== true) return void response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      opened.resolve(response)
    },
  })
  await shared(server)
  await untilListed(asker.gateway, 'before')
  const answer = await chat(asker.gateway, { model: 'before', stream: true })
  expect(answer.status).toBe(200)
  const running = await opened.promise
  running.write(sseChunk('one'))

  server.state.models = ['stays', 'after']
  // Looked at now rather than in half a minute.
  await provider.control.call('shares.add', { port: server.port, models: 'all', visibility: 'everyone' })
  await until(async () => (await modelIds(asker.gateway)).join() === 'after,stays', { what: 'the list follows' })

  running.write(sseChunk('two'))
  running.end('data: [DONE]\n\n')
  const text = await answer.text()
  expect(text).toMatch(/"one"[^]*"two"[^]*data: \[DONE\]/)
  expect(text).not.toContain('event: error')
  // Its server is there and has it no longer: a client that tried again would try for nothing.
  for (const { gateway } of [asker, provider]) {
    const gone = await chat(gateway, { model: 'before' })
    expect([gone.status, await gone.json()]).toMatchObject([404, { error: { code: 'model_not_found' } }])
    expect(gone.headers.get('retry-after')).toBeNull()
  }
  for (const model of ['stays', 'after']) expect((await chat(asker.gateway, { model })).status).toBe(200)
})

test('a model that its server turns out not to have is withdrawn at the first request for it', async () => {
  const server = await startModelServer({ models: ['removed', 'kept'] })
  await shared(server)
  await untilListed(asker.gateway, 'removed')
  server.state.models = ['kept']
  const withdrawnBy = performance.now() + 15_000

  const first = await chat(asker.gateway, { model: 'removed' })
  expect(first.status).toBe(404)
  await until(async () => (await modelIds(asker.gateway)).join() === 'kept', { what: 'the list follows' })
  // Half a minute, where nothing was asked for.
  expect(performance.now()).toBeLessThan(withdrawnBy)
  const second = await chat(asker.gateway, { model: 'removed' })
  expect([second.status, await second.json()]).toMatchObject([404, { error: { code: 'model_not_found' } }])
})

/** A server's own ids, and what the network calls them where that differs. */
const ODD_IDS: [id: string, published?: string][] = [
  ['org/name:tag'],
  ['hf.co/some one/a model:Q4_K_M'],
  ['a%2Fb'],
  ['100%'],
  ['%zz'],
  ['a/../b'],
  ['a//b/'],
  ['name?model=other&x#y'],
  ['with "quotes" + plus'],
  ['ünïcode/模型-😀'],
  ['../../etc/odd name', 'odd name'],
  ['/srv/models/50%: a.gguf', '50%: a.gguf'],
]

test('odd ids of models reach the server as it wrote them, in JSON, forms and paths', async () => {
  const seen: { url: string; body: string }[] = []
  const server = await startModelServer({
    models: ODD_IDS.map(([id]) => id),
    async answer(request, response) {
      seen.push({ url: request.url ?? '', body: (await readBody(request)).toString() })
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
    },
  })
  await shared(server)
  const published = ODD_IDS.map(([id, name]) => name ?? id)
  await until(async () => (await modelIds(asker.gateway)).length === ODD_IDS.length, { what: 'all are listed' })
  expect(new Set(await modelIds(asker.gateway))).toEqual(new Set(published))

  const direct = `${asker.gateway}/v1/p2p/${provider.peerId}/v1/_service/llm`
  for (const [id, name = id] of ODD_IDS) {
    const encoded = encodeURIComponent(name)
    const one = await fetch(`${asker.gateway}/v1/models/${encoded}`)
    expect([id, one.status, ((await one.json()) as { id?: string }).id]).toEqual([id, 200, name])

    seen.length = 0
    const json = JSON.stringify({ model: name, messages: [] })
    const headers = { 'content-type': 'application/json' }
    expect((await chat(asker.gateway, { model: name })).status).toBe(200)
    expect((await fetch(`${direct}/v1/chat/completions`, { method: 'POST', headers, body: json })).status).toBe(200)
    const form = new FormData()
    form.append('model', name)
    form.append('file', new Blob(['sound']), 'a.wav')
    const spoken = await fetch(`${asker.gateway}/v1/audio/transcriptions`, { method: 'POST', body: form })
    expect([id, spoken.status]).toEqual([id, 200])
    const path = `/v1/audio/${encoded}?voice=${encoded}`
    const inPath = await fetch(`${direct}${path}`, { method: 'POST', headers, body: json })

    expect(seen.slice(0, 2).map(({ body }) => (JSON.parse(body) as { model: string }).model)).toEqual([id, id])
    expect(seen[2]?.body).toContain(`name="model"\r\n\r\n${id}\r\n`)
    // A path that, once decoded, may lead out of what is shared is refused; any other arrives byte for byte.
    const leaves = /(?:^|\/)\.\.(?:\/|$)|\/\//.test(name)
    expect([id, inPath.status, seen[3]?.url]).toEqual([id, ...(leaves ? [403, undefined] : [200, path])])
  }
})
