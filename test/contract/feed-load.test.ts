import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { FEED_PROTOCOL, TOKEN_PROTOCOL_PREFIX, type FollowedMessage } from '#shared/contract/wire.js'
import { heapMiB } from '../fixtures/heap.js'
import { createFakeNode } from './fake-node.js'
import { startServer } from './transports.js'

const EVENTS_PER_SECOND = 10_000
const SECONDS = 6

interface Follower {
  socket: WebSocket
  kinds: string[]
}

async function follow(url: string, token: string): Promise<Follower> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/feed`, [FEED_PROTOCOL, TOKEN_PROTOCOL_PREFIX + token])
  const kinds: string[] = []
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as FollowedMessage
    kinds.push('message' in message ? message.message.type : 'error')
  })
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'follow', id: 1, feed: 'traffic' }))
  await expect.poll(() => kinds).toEqual(['snapshot'])
  return { socket, kinds }
}

test('10,000 requests a second into five followers: memory stays flat, and the slow one is given a fresh snapshot', async () => {
  const node = createFakeNode()
  const { server, close } = await startServer(node)
  const followers = await Promise.all(Array.from({ length: 5 }, () => follow(server.url, server.token)))
  const slow = followers[0]!
  slow.socket.pause()

  let sent = 0
  const load = async (seconds: number): Promise<void> => {
    const startedAt = performance.now()
    const until = sent + seconds * EVENTS_PER_SECOND
    while (sent < until) {
      const due = Math.min(until, sent + Math.ceil(EVENTS_PER_SECOND / 100))
      for (; sent < due; sent += 1) {
        const request = node.traffic.begin({
          id: `request-${sent}`,
          direction: 'out',
          service: 'llm',
          method: 'POST',
          route: '/v1/chat/completions',
          model: 'a-model',
        })
        request.firstByte()
        request.finish({ status: 200, tries: 1 })
      }
      await pause(
        Math.max(
          0,
          startedAt + ((sent - (until - seconds * EVENTS_PER_SECOND)) / EVENTS_PER_SECOND) * 1000 - performance.now(),
        ),
      )
    }
  }

  await load(2)
  const before = heapMiB()
  await load(SECONDS)
  expect(heapMiB() - before).toBeLessThan(24)
  for (const { kinds } of followers.slice(1)) {
    expect(kinds.filter((kind) => kind === 'delta').length).toBeGreaterThan(SECONDS)
    expect(kinds).not.toContain('error')
  }

  slow.socket.resume()
  // Whatever was on its way when it stopped reading arrives first; then it starts afresh.
  await expect.poll(() => slow.kinds.lastIndexOf('snapshot'), { timeout: 10_000 }).toBeGreaterThan(0)
  expect(slow.kinds).not.toContain('error')
  for (const { socket } of followers) socket.terminate()
  await close()
}, 180_000)
