import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WebSocketServer, type WebSocket as ServerSocket } from 'ws'
import { createFeedSocket, type FeedSocket } from '../../../../src-renderer/client/feed-socket.js'
import { eventually } from '../../../fixtures/eventually.js'

let server: WebSocketServer
let port: number
let feeds: FeedSocket
/** What the server was told, per connection. */
let told: unknown[][]
let sockets: ServerSocket[]

async function listen(onPort: number): Promise<void> {
  server = new WebSocketServer({ port: onPort, host: '127.0.0.1', handleProtocols: () => 'ocf' })
  server.on('connection', (socket) => {
    const messages: unknown[] = []
    told.push(messages)
    sockets.push(socket)
    socket.on('message', (data) => messages.push(JSON.parse((data as Buffer).toString())))
  })
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
}

async function shut(): Promise<void> {
  for (const socket of server.clients) socket.terminate()
  await new Promise((resolve) => server.close(resolve))
}

beforeEach(async () => {
  told = []
  sockets = []
  await listen(0)
  feeds = createFeedSocket({ url: `http://127.0.0.1:${port}`, token: 'secret' })
})
afterEach(async () => {
  feeds.close()
  await shut()
})

const follower = () => ({ onNews: vi.fn(), onLost: vi.fn() })

test('all feeds share one socket, which closes with the last follower', async () => {
  const leaveStatus = feeds.follow('status', follower())
  await eventually(() => expect(told).toEqual([[{ type: 'follow', id: 1, feed: 'status' }]]))
  const leavePeers = feeds.follow('peers', follower())
  await eventually(() => expect(told[0]).toHaveLength(2))
  leaveStatus()
  await eventually(() => expect(told[0]?.[2]).toEqual({ type: 'unfollow', id: 1 }))
  expect(server.clients.size).toBe(1)
  leavePeers()
  await eventually(() => expect(server.clients.size).toBe(0))
})

test('news go to the follower they are for', async () => {
  const status = follower()
  const peers = follower()
  feeds.follow('status', status)
  feeds.follow('peers', peers)
  await eventually(() => expect(told[0]).toHaveLength(2))
  sockets[0]?.send(JSON.stringify({ id: 2, message: { type: 'snapshot', revision: 1, data: [] } }))
  await eventually(() => expect(peers.onNews).toHaveBeenCalledOnce())
  expect(status.onNews).not.toHaveBeenCalled()
})

test('a lost connection comes back by itself and follows again', async () => {
  const status = follower()
  feeds.follow('status', status)
  await eventually(() => expect(told[0]).toHaveLength(1))
  sockets[0]?.terminate()
  await eventually(() => expect(told[1]).toEqual([{ type: 'follow', id: 1, feed: 'status' }]))
  expect(status.onLost).toHaveBeenCalledOnce()
})

test('a node that comes back on the same port is found', async () => {
  const status = follower()
  feeds.follow('status', status)
  await eventually(() => expect(told[0]).toHaveLength(1))
  const samePort = port
  await shut()
  await eventually(() => expect(status.onLost.mock.calls.length).toBeGreaterThanOrEqual(2))
  await listen(samePort)
  await eventually(() => expect(told[1]).toHaveLength(1))
}, 20_000)

test('whoever left while the node was away is not followed when it is back', async () => {
  const leave = feeds.follow('status', follower())
  await eventually(() => expect(told[0]).toHaveLength(1))
  sockets[0]?.terminate()
  leave()
  const models = follower()
  feeds.follow('models', models)
  await eventually(() => expect(told[1]).toEqual([{ type: 'follow', id: 2, feed: 'models' }]))
})
