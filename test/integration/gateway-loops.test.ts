import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { readBody, startModelServer } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { chat, modelIds, untilListed } from '../fixtures/node-pair.js'
import { until } from '../fixtures/until.js'

/** Ended in order, the last one first. */
const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function startNode(flags: Record<string, string> = {}): Promise<NodeInProcess> {
  const node = await startNodeInProcess({ flags })
  cleanups.push(() => node.stop())
  return node
}

/** A gateway that writes a list, bodies and errors of its own, and passes on no header of whoever asks it. */
interface Gateway {
  port: number
  /** Requests for answers so far. */
  asked(): number
}

async function startGateway(upstream: () => string, model = 'loopy'): Promise<Gateway> {
  let asked = 0
  const json = { 'content-type': 'application/json' }
  const server: Server = createServer((request, response) => {
    if (request.method === 'GET') {
      const data = [{ id: model, object: 'model', created: 1_700_000_000, owned_by: 'somebody' }]
      response.writeHead(request.url === '/v1/models' ? 200 : 404, json).end(JSON.stringify({ object: 'list', data }))
      return
    }
    asked += 1
    void (async () => {
      const { messages, ...others } = JSON.parse((await readBody(request)).toString()) as { messages?: object[] }
      const left = new AbortController()
      response.once('close', () => left.abort())
      const body = JSON.stringify({ ...others, metadata: {}, messages }, undefined, 1)
      const answer = await fetch(`${upstream()}${request.url}`, {
        ...{ method: 'POST', headers: json, body, signal: left.signal },
      })
      response.writeHead(answer.status, json).end(await answer.text())
    })().catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return { port: (server.address() as AddressInfo).port, asked: () => asked }
}

async function share(node: NodeInProcess, port: number): Promise<void> {
  await node.control.call('shares.add', { port, models: 'all', visibility: 'everyone' })
}

const problemsOf = async (node: NodeInProcess): Promise<string> =>
  JSON.stringify(await node.control.call('shares.list', {}))

/** A request that goes in circles ends soon, with the reason; nobody is offered that server any longer. */
async function expectRecognised(asker: NodeInProcess, owner: NodeInProcess, gateway: Gateway): Promise<void> {
  const answer = await chat(asker.gateway, { model: 'loopy' }, { signal: AbortSignal.timeout(15_000) })
  expect([answer.status, await answer.text()]).toEqual([508, expect.stringContaining('no model server') as string])
  // Some were under way when it was found out.
  expect(gateway.asked()).toBeLessThan(20)
  await until(async () => !(await modelIds(asker.gateway)).includes('loopy'), { what: 'it is offered no more' })
  expect(await problemsOf(owner)).toContain('forwards to this node')
  const before = gateway.asked()
  expect((await chat(owner.gateway, { model: 'loopy' })).status).toBe(508)
  expect(gateway.asked()).toBe(before)
}

test('a server that forwards to its own node without a header is recognised by what comes back', async () => {
  const node = await startNode()
  const gateway = await startGateway(() => node.gateway)
  await share(node, gateway.port)
  await untilListed(node.gateway, 'loopy')
  await expectRecognised(node, node, gateway)
})

test('a loop of embeddings is recognised, too', async () => {
  const node = await startNode()
  const gateway = await startGateway(() => node.gateway, 'text-embedding-loopy')
  await share(node, gateway.port)
  await untilListed(node.gateway, 'text-embedding-loopy')
  const answer = await fetch(`${node.gateway}/v1/embeddings`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' }, signal: AbortSignal.timeout(15_000) },
    body: JSON.stringify({ model: 'text-embedding-loopy', input: 'x' }),
  })
  expect([answer.status, await answer.text()]).toEqual([508, expect.stringContaining('no model server') as string])
})

test('a server that forwards to another node, which comes back, is recognised', async () => {
  const other = await startNode()
  const owner = await startNode({ 'bootstrap.sources': `${other.gateway}/v1/dnt/bootstraps` })
  const gateway = await startGateway(() => other.gateway)
  await share(owner, gateway.port)
  await untilListed(other.gateway, 'loopy')
  await expectRecognised(other, owner, gateway)
})

test('a server with as many requests of one content that forwards nowhere stays, and is asked once at most', async () => {
  const node = await startNode()
  const waiting: (() => void)[] = []
  const server = await startModelServer({
    models: ['slow'],
    async answer(request, response) {
      await readBody(request)
      waiting.push(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}'))
    },
  })
  cleanups.push(() => server.close())
  await share(node, server.port)
  await untilListed(node.gateway, 'slow')
  const statuses: number[] = []
  const answers = Array.from({ length: 12 }, async () => {
    statuses.push((await chat(node.gateway, { model: 'slow' })).status)
  })
  await until(() => waiting.length >= 12, { what: 'all have come' })
  const allAnswered = (): boolean => {
    for (const answer of waiting.splice(0)) answer()
    return statuses.length === 12
  }
  await until(allAnswered, { what: 'all are answered' })
  await Promise.all(answers)
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(server.requests.filter(({ method }) => method === 'POST').length).toBeLessThanOrEqual(13)
  expect(await modelIds(node.gateway)).toContain('slow')
})
