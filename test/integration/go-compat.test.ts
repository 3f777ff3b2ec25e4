import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StreamDuplex } from '../../src-main/p2p/http/stream-duplex.js'
import { startLightHost } from '../fixtures/light-host.js'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { llmFlags, type NodePair, startNodePair, untilListed } from '../fixtures/node-pair.js'

// What clients and tools of the Go implementation ask for, at nodes that have nothing to do with its network.

let server: ModelServerFixture
let pair: NodePair

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = String(await readBody(request))
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ path: request.url, body }))
}

const post = (url: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

const errorOf = async (response: Response): Promise<{ code: string; message: string }> =>
  ((await response.json()) as { error: { code: string; message: string } }).error

beforeAll(async () => {
  server = await startModelServer({ models: ['m'], answer })
  pair = await startNodePair({ serviceFlags: llmFlags(server.port) })
  await untilListed(pair.a.gateway, 'm')
})

afterAll(async () => {
  await pair.stop()
  await server.close()
})

describe('headers of the Go implementation', () => {
  const chatAt = (headers: Record<string, string>, body: object = { model: 'm', messages: [] }): Promise<Response> =>
    post(`${pair.a.gateway}/v1/service/llm/v1/chat/completions`, body, headers)

  test('X-Otela-Identity-Group chooses the provider as ours does, which counts before it', async () => {
    expect((await chatAt({ 'x-otela-identity-group': 'model=m' })).status).toBe(200)
    expect((await chatAt({ 'x-otela-identity-group': 'model=other' })).status).toBe(404)
    const both = { 'x-otela-identity-group': 'model=other', 'x-ocf-identity-group': 'model=m' }
    expect((await chatAt(both)).status).toBe(200)
  })

  test('X-Otela-Trust is refused with the reason, and 0 asks for nothing', async () => {
    const refused = await chatAt({ 'x-otela-trust': '1' })
    expect(refused.status).toBe(400)
    expect(await errorOf(refused)).toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('wallets') as string,
    })
    expect((await chatAt({ 'x-otela-trust': '0' })).status).toBe(200)
  })
})

describe('paths of the Go implementation', () => {
  test('/v1/p2p-service leads to the service of a peer, also where that is this node', async () => {
    for (const { gateway } of [pair.a, pair.b]) {
      const url = `${gateway}/v1/p2p-service/${pair.b.peerId}/llm/v1/chat/completions?x=1`
      const response = await post(url, { model: 'm', messages: [] })
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ path: '/v1/chat/completions?x=1' })
    }
    const odd = await post(`${pair.a.gateway}/v1/p2p-service/${pair.b.peerId}/a%20b/x`, {})
    expect((await errorOf(odd)).code).toBe('invalid_service')
    const nobody = await post(`${pair.a.gateway}/v1/p2p-service/nobody/llm/x`, {})
    expect((await errorOf(nobody)).code).toBe('invalid_peer_id')
  })

  test('/v1/self is this node’s row', async () => {
    const self = (await (await fetch(`${pair.b.gateway}/v1/self`)).json()) as { service: { name: string }[] }
    expect(self).toMatchObject({ id: pair.b.peerId, connected: true })
    expect(self.service.map(({ name }) => name)).toEqual(['llm'])
  })

  test('/v1/probe/echo sends back what it gets, up to a bound', async () => {
    const echo = (bytes: number): Promise<Response> =>
      fetch(`${pair.a.gateway}/v1/probe/echo`, { method: 'POST', body: Buffer.alloc(bytes, 7) })
    expect(Buffer.from(await (await echo(1000)).arrayBuffer())).toEqual(Buffer.alloc(1000, 7))
    expect((await errorOf(await echo(300 * 1024))).code).toBe('body_too_large')
  })

  test('/v1/probe/run measures a peer, and says what it could not', async () => {
    const run = await post(`${pair.a.gateway}/v1/probe/run`, { peer_id: pair.b.peerId })
    expect(await run.json()).toEqual({
      peer_id: pair.b.peerId,
      latency: expect.objectContaining({ rounds: 5, mean_ms: expect.any(Number) as number }) as object,
      throughput: expect.objectContaining({ bytes_per_s: expect.any(Number) as number }) as object,
      libp2p_ping: { rtt_ms: expect.any(Number) as number },
    })
    expect((await errorOf(await post(`${pair.a.gateway}/v1/probe/run`, { peer_id: 'x' }))).code).toBe('invalid_peer_id')
    const unknown = await post(`${pair.a.gateway}/v1/probe/run`, { peer_id: pair.b.peerId, probes: ['magic'] })
    expect((await errorOf(unknown)).code).toBe('invalid_request')
  })
})

describe('HTTP over libp2p as its specification has it', () => {
  test('a peer finds under /http/1.1 what there is, and nothing of the local routes', async () => {
    const host = await startLightHost()
    const address = pair.b.multiaddrs.find((text) => text.includes('/tcp/') && !text.includes('/ws')) ?? ''
    const connection = await host.dial(multiaddr(address))
    const ask = async (path: string): Promise<{ status: number; body: string }> => {
      const socket = new StreamDuplex(await connection.newStream('/http/1.1'), connection)
      const request = http.request({ path, headers: { host: pair.b.peerId }, createConnection: () => socket })
      request.end()
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      const body = String(await readBody(response))
      socket.destroy()
      return { status: response.statusCode ?? 0, body }
    }
    expect(JSON.parse((await ask('/.well-known/libp2p/protocols')).body)).toEqual({
      '/ocf/peer/1.0.0': { path: '/v1/' },
    })
    expect((await ask('/v1/dnt/table')).status).toBe(200)
    expect((await ask('/v1/self')).status).toBe(404)
    expect((await ask('/v1/probe/run')).status).toBe(404)
    await host.stop()
  })
})
