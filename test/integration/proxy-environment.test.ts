import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readBody, sseChunk, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { llmFlags, untilListed } from '../fixtures/node-pair.js'
import { runOcf, startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'

/** A node and its commands where the environment names a proxy for everything. */
let proxy: Server
let env: Record<string, string>
let server: ModelServerFixture
let node: NodeProcess
let proxied = 0

beforeAll(async () => {
  proxy = createServer((socket) => {
    proxied += 1
    socket.destroy()
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  // Node 24 takes note of them with the first; an empty list of exceptions is what many machines have.
  env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url, http_proxy: url, HTTPS_PROXY: url, https_proxy: url }
  env = { ...env, ALL_PROXY: url, all_proxy: url, NO_PROXY: '', no_proxy: '' }
  server = await startModelServer({
    models: ['m'],
    async answer(request, response) {
      await readBody(request)
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${sseChunk('hi')}data: [DONE]\n\n`)
    },
  })
  node = await startNodeProcess({ flags: ['--demo-model', 'off', ...llmFlags(server.port)], env })
  await untilListed(node.gateway, 'm')
})

afterAll(async () => {
  await node.stop()
  await server.close()
  proxy.close()
})

test.each([
  ['models', ['models'], 'm'],
  ['test', ['test', 'm'], 'hi'],
  ['chat', ['chat', 'm', 'hello'], 'hi'],
  ['status', ['status'], '12D3KooW'],
])('the proxies of the environment are not asked by ocf %s, and it works', async (_name, words, said) => {
  const { code, stdout, stderr } = await runOcf([...words, '--data-dir', node.dataDir], { env })
  expect([code, stdout + stderr]).toEqual([0, expect.stringContaining(said) as string])
  expect(proxied).toBe(0)
})

test('the proxies of the environment are not asked by ocf demo, and it works', async () => {
  const { code, stdout, stderr } = await runOcf(['demo', '--once', '--port', '0', '--api-port', '0'], { env })
  expect([code, stdout + stderr]).toEqual([0, expect.any(String) as string])
  expect(proxied).toBe(0)
})
