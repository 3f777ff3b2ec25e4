import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createHttpClient, type HttpClient } from '../../../../src-renderer/client/http.js'
import { eventually } from '../../../fixtures/eventually.js'

let server: Server
let client: HttpClient
let calls: number
let sockets: number
const onRefused = vi.fn()

beforeEach(async () => {
  calls = 0
  sockets = 0
  onRefused.mockClear()
  const refusal = { message: 'The token is wrong.', type: '', code: 'unauthorized', param: null, request_id: '' }
  server = createServer((_request, response) => {
    calls += 1
    response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error: refusal }))
  })
  server.on('upgrade', (_request, socket) => {
    sockets += 1
    socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  client = createHttpClient({ url, token: 'old', onRefused })
})
afterEach(async () => {
  client.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

test('a page whose token is refused asks the node once, however many feeds it follows, and never again', async () => {
  const lost = vi.fn()
  const observer = { onSnapshot: vi.fn(), onDelta: vi.fn(), onLost: lost }
  for (const feed of ['status', 'peers', 'models', 'traffic'] as const) client.follow(feed, observer)
  await eventually(() => expect(lost).toHaveBeenCalledTimes(4))
  expect(lost.mock.calls[0]?.[0]).toMatchObject({ code: 'unauthorized' })
  expect(onRefused).toHaveBeenCalledOnce()
  expect(calls).toBe(1)
  const opened = sockets
  await expect(client.call('node.status', {})).rejects.toMatchObject({ code: 'unauthorized' })
  client.follow('shares', observer)
  expect(lost).toHaveBeenCalledTimes(5)
  expect([calls, sockets]).toEqual([1, opened])
  expect(onRefused).toHaveBeenCalledOnce()
})
