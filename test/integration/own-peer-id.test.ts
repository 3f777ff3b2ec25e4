import { afterEach, expect, test } from 'vitest'
import { startEchoServer } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function nodeWithModel(flags: Record<string, unknown> = {}): Promise<{ node: NodeInProcess; own: string }> {
  const server = await startEchoServer()
  ends.push(() => server.close())
  const node = await startNodeInProcess({
    flags: { mode: 'standalone', 'service.name': 'llm', 'service.port': String(server.port), ...flags },
  })
  ends.push(() => node.stop())
  return { node, own: `${node.gateway}/v1/p2p/${node.peerId}` }
}

const chat = (base: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${base}/v1/_service/llm/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'Hello' }] }),
    ...init,
  })

test('a request to the node’s own peer id is answered by the node itself', async () => {
  const { node, own } = await nodeWithModel()
  const answer = await chat(own)
  expect([answer.status, answer.headers.get('x-computing-node')]).toEqual([200, node.peerId])
  expect(await answer.json()).toEqual(await (await chat(node.gateway)).json())
  const models = (await (await fetch(`${own}/v1/models`)).json()) as { data: { id: string }[] }
  expect(models.data.map(({ id }) => id)).toContain('test-model')
  expect(await (await fetch(`${own}/v1/health`)).json()).toMatchObject({ status: 'ok', peer_id: node.peerId })
})

test.each(['/metrics', '/v1/dnt/_node', '/v1/dnt/stats', '/v1/chat/completions', '/docs', '/'])(
  'under the node’s own peer id there is nothing that a peer would not find: %s',
  async (path) => {
    const { own } = await nodeWithModel()
    expect((await fetch(`${own}${path}`)).status).toBe(404)
  },
)

test('the node’s own peer id does not lead to itself again', async () => {
  const { node, own } = await nodeWithModel()
  expect((await chat(`${own}/v1/p2p/${node.peerId}`)).status).toBe(404)
})

test('no web page may use the node’s own peer id, and no program without a key where the gateway asks for one', async () => {
  const { own } = await nodeWithModel({ 'cors-origins': '*' })
  for (const path of ['/v1/models', '/v1/health', '/v1/_service/llm/v1/models']) {
    const answer = await fetch(`${own}${path}`, { headers: { origin: 'https://page.example' } })
    expect([path, answer.status]).toEqual([path, 403])
  }
  const closed = await nodeWithModel({ 'api-key': 'required' })
  for (const path of ['/v1/models', '/v1/health', '/v1/_service/llm/v1/models'])
    expect([path, (await fetch(`${closed.own}${path}`)).status]).toEqual([path, 401])
})
