import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRaw } from '../fixtures/http-server.js'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { chat, modelIds } from '../fixtures/node-pair.js'
import { until } from '../fixtures/until.js'

let ownServer: ModelServerFixture
let peerServer: ModelServerFixture
let node: NodeInProcess
let peer: NodeInProcess
let key: string

const ANSWER = {
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
}

async function answerChat(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await readBody(request)
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(ANSWER))
}

const flagsOf = ({ port }: ModelServerFixture) => ({ 'service.name': 'llm', 'service.port': String(port) })

beforeAll(async () => {
  ownServer = await startModelServer({ models: ['own-model'], answer: answerChat })
  peerServer = await startModelServer({ models: ['peer-model'], answer: answerChat })
  node = await startNodeInProcess({ flags: { ...flagsOf(ownServer), host: '0.0.0.0' } })
  // It joins by the bootstrap list, which it gets without a key.
  const sources = [`${node.gateway}/v1/dnt/bootstraps`]
  peer = await startNodeInProcess({ flags: { ...flagsOf(peerServer), 'bootstrap.sources': sources } })
  key = (await node.control.call('keys.add', { name: 'phone' })).key
  const listed = async () => {
    const answer = await get('/v1/models', bearer(key))
    const { data } = (await answer.json()) as { data: { id: string }[] }
    return data.map(({ id }) => id)
  }
  await until(async () => (await listed()).includes('own-model') && (await listed()).includes('peer-model'), {
    what: 'both models are listed',
    limitMs: 20_000,
  })
})

afterAll(async () => {
  await peer.stop()
  await node.stop()
  await ownServer.close()
  await peerServer.close()
})

const bearer = (value: string) => ({ authorization: `Bearer ${value}` })
const get = (path: string, headers: Record<string, string> = {}) => fetch(`${node.gateway}${path}`, { headers })
const ask = (model: string, headers: Record<string, string>) =>
  chat(node.gateway, { model }, { headers: { 'content-type': 'application/json', ...headers } })

async function codeOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { code: string } }
  return `${response.status} ${error.code}`
}
const wrongKey = `ocf_${'x'.repeat(43)}`

describe('a gateway beyond loopback', () => {
  test.each([
    '/',
    '/v1/models',
    '/metrics',
    '/docs',
    '/openapi.json',
    '/v1/dnt/table',
    '/v1/dnt/stats',
    '/v1/_service/llm/v1/models',
    '/v1/service/llm/v1/models',
    '/nothing-here',
  ])('GET %s is answered 401 without an API key, from this very machine too', async (path) => {
    const response = await get(path)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(await codeOf(response)).toBe('401 unauthorized')
    expect((await get(path, bearer(key))).status).not.toBe(401)
  })

  test('a chat without an API key reaches no model server', async () => {
    const before = ownServer.requests.length
    const response = await ask('own-model', {})
    const text = await response.clone().text()
    expect(text).toContain('ocf keys add NAME')
    expect(await codeOf(response)).toBe('401 unauthorized')
    expect(ownServer.requests.length).toBe(before)
  })

  test.each([
    ['Authorization', () => bearer(key)],
    ['Authorization in lower case', () => ({ authorization: `bearer ${key}` })],
    ['x-api-key', () => ({ 'x-api-key': key })],
    ['api-key', () => ({ 'api-key': key })],
  ])('an API key is taken from %s', async (_name, headers) => {
    expect((await ask('own-model', headers())).status).toBe(200)
  })

  test('an API key in the query opens nothing', async () => {
    for (const name of ['api_key', 'key', 'api-key', 'access_token']) {
      expect(await codeOf(await get(`/v1/models?${name}=${key}`))).toMatch(/^(401 unauthorized|429 rate_limited)$/)
    }
  })

  test.each([
    ['a wrong one', () => wrongKey],
    ['its beginning', () => key.slice(0, -1)],
    ['one letter more', () => `${key}A`],
    ['another case', () => key.toUpperCase()],
    ['another last letter', () => key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A')],
    ['two', () => `${key}, ${key}`],
    ['nothing', () => ''],
    ['sk-anything', () => 'sk-anything'],
  ])('an API key that is %s is refused', async (_name, value) => {
    expect(await codeOf(await get('/v1/models', bearer(value())))).toMatch(/^(401 unauthorized|429 rate_limited)$/)
  })

  test('health without an API key says that the node lives, and not who it is', async () => {
    const stranger = (await (await get('/v1/health')).json()) as Record<string, unknown>
    expect(stranger).toMatchObject({ status: 'ok' })
    expect(JSON.stringify(stranger)).not.toContain(node.peerId)
    const wrong = (await (await get('/v1/health', bearer(wrongKey))).json()) as Record<string, unknown>
    expect(JSON.stringify(wrong)).not.toContain(node.peerId)
    expect(await (await get('/v1/health', bearer(key))).json()).toMatchObject({ peer_id: node.peerId })
  })

  test('a preflight is answered without an API key and a page can read why it is refused', async () => {
    const origin = 'http://page.example'
    const preflight = await fetch(`${node.gateway}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
    const refused = await get('/v1/models', { origin })
    expect(refused.headers.get('access-control-allow-origin')).toBe('*')
    expect(await codeOf(refused)).toMatch(/^(401|429)/)
  })

  test('a WebSocket handshake needs an API key as well', async () => {
    const { port } = new URL(node.gateway)
    const head =
      'GET /v1/service/llm/v1/realtime HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
    const { text } = await openRaw(Number(port), head).ended
    expect(text).toMatch(/^HTTP\/1\.1 (401|429) /)
  })
})

describe('an API key', () => {
  test('an API key reaches neither this machine’s model server nor a peer nor its server, in whatever header', async () => {
    const carried: Record<string, string>[] = [
      bearer(key),
      { 'x-api-key': key },
      { 'api-key': key },
      { ...bearer(key), 'x-api-key': wrongKey, 'api-key': key },
      { ...bearer(`${wrongKey} ${key}`), 'x-api-key': key },
    ]
    for (const headers of carried) {
      for (const model of ['own-model', 'peer-model']) expect((await ask(model, headers)).status).toBe(200)
      await get('/v1/_service/llm/v1/models', headers)
    }
    const seen = [...ownServer.requests, ...peerServer.requests].map(({ headers }) => JSON.stringify(headers))
    expect(seen.length).toBeGreaterThan(10)
    for (const headers of seen) expect(headers).not.toContain('ocf_')
    expect(node.log() + peer.log()).not.toContain(key)
  })

  test('another value beside the key still reaches this machine’s own server', async () => {
    expect((await ask('own-model', { ...bearer('sk-of-the-server'), 'x-api-key': key })).status).toBe(200)
    const headers: IncomingHttpHeaders = ownServer.requests.at(-1)!.headers
    expect(headers.authorization).toBe('Bearer sk-of-the-server')
    expect(headers['x-api-key']).toBeUndefined()
  })

  test('a revoked key is refused at once, on a connection that is open too', async () => {
    const made = await node.control.call('keys.add', { name: 'laptop' })
    const socket = connect(Number(new URL(node.gateway).port), '127.0.0.1')
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const send = () =>
      socket.write(`GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${made.key}\r\n\r\n`)
    send()
    await until(() => text.includes('"object":"list"'), { what: 'the first answer' })
    await node.control.call('keys.revoke', { key: made.entry.id })
    send()
    await until(() => /HTTP\/1\.1 (401|429) /.test(text), { what: 'the refusal' })
    socket.destroy()
    await expect(node.control.call('keys.revoke', { key: 'laptop' })).rejects.toMatchObject({ code: 'not_found' })
  })

  test('the requests and tokens of a key are counted and stand in the traffic under its name', async () => {
    const { key: counted } = await node.control.call('keys.add', { name: 'counter' })
    for (const model of ['own-model', 'peer-model']) await (await ask(model, bearer(counted))).text()
    const usage = async () => {
      const { keys } = await node.control.call('keys.list', {})
      return keys.find(({ name }) => name === 'counter')!
    }
    await until(async () => (await usage()).usage.today.requests === 2, { what: 'both are counted' })
    const entry = await usage()
    expect(entry.lastUsedDay).toBe(new Date().toISOString().slice(0, 10))
    expect(entry.usage.today).toEqual({ requests: 2, tokensIn: 10, tokensOut: 14 })
    expect(entry.usage.sinceStart).toEqual(entry.usage.today)
    const traffic = await node.control.call('traffic.recent', { limit: 1000 })
    expect(traffic.filter((one) => one.key === 'counter').map(({ model }) => model)).toEqual([
      'own-model',
      'peer-model',
    ])
  })

  test('this node’s own command line and dashboard use the gateway without a key of the owner', async () => {
    const result = await node.control.call('test.run', { model: 'own-model' })
    expect(result).toMatchObject({ status: 200, error: null })
    const own = await node.control.call('keys.own', {})
    expect((await get('/v1/models', bearer(own.key!))).status).toBe(200)
    const { keys } = await node.control.call('keys.list', {})
    expect(JSON.stringify(keys)).not.toContain(own.key!)
  })
})

describe('a gateway on loopback', () => {
  test('a gateway on loopback asks for no key, ignores a wrong one and knows a right one', async () => {
    const made = await peer.control.call('keys.add', { name: 'editor' })
    for (const headers of [{}, bearer('sk-anything'), bearer(wrongKey), bearer(made.key)]) {
      const answer = await chat(
        peer.gateway,
        { model: 'peer-model' },
        { headers: { 'content-type': 'application/json', ...headers } },
      )
      expect(answer.status).toBe(200)
      await answer.text()
    }
    const traffic = await peer.control.call('traffic.recent', { limit: 1000 })
    const keys = traffic.filter(({ direction }) => direction === 'local').map((entry) => entry.key)
    expect(keys).toEqual([null, null, null, 'editor'])
    expect(await modelIds(peer.gateway)).toContain('peer-model')
    expect(await peer.control.call('keys.own', {})).toEqual({ key: null })
  })
})
