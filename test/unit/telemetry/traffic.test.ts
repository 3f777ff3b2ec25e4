import { expect, test, vi } from 'vitest'
import { TrafficEntrySchema } from '#shared/contract/node/traffic.js'
import { monotonicClock } from '../../../src-main/base/clock.js'
import { createTrafficFeed } from '../../../src-main/telemetry/traffic.js'

const start = (id: string, direction: 'in' | 'out' | 'local' = 'out') => ({
  id,
  direction,
  service: 'llm',
  method: 'POST',
  route: '/v1/chat/completions',
})

test('a request is followed from its arrival to its end', () => {
  let nowMs = 1000
  const feed = createTrafficFeed({ clock: { now: () => nowMs }, monotonic: { elapsedMs: () => nowMs } })
  const request = feed.begin({ ...start('r1'), model: 'llama3.2' })
  expect(feed.running).toBe(1)
  request.update({ peer: 'alice', path: 'direct-quic', tries: 1, status: 200 })
  nowMs = 1080
  request.firstByte()
  nowMs = 1090
  request.firstByte()
  request.addBytes(10, 200)
  request.addBytes(0, 300)
  nowMs = 1500
  request.finish({ tokens: 42 })
  expect(feed.running).toBe(0)
  const [entry] = feed.entries()
  expect(TrafficEntrySchema.parse(entry)).toEqual(entry)
  expect(entry).toMatchObject({
    ttfbMs: 80,
    durationMs: 500,
    bytesIn: 10,
    bytesOut: 500,
    tokens: 42,
    cancelledBy: null,
  })
})

test('after its end nothing changes an entry', () => {
  const feed = createTrafficFeed({ clock: Date, monotonic: monotonicClock })
  const request = feed.begin(start('r1'))
  request.finish({ status: 200 })
  const before = feed.entries()[0]
  request.update({ status: 500 })
  request.addBytes(1, 1)
  request.firstByte()
  request.finish({ status: 502 })
  expect(feed.entries()[0]).toBe(before)
  expect(feed.running).toBe(0)
})

test('only the newest entries are kept, oldest first', () => {
  const feed = createTrafficFeed({ clock: Date, monotonic: monotonicClock }, { maxEntries: 3 })
  for (const id of ['a', 'b', 'c', 'd', 'e']) feed.begin(start(id)).finish()
  expect(feed.entries().map((entry) => entry.id)).toEqual(['c', 'd', 'e'])
})

test('an entry that did not change stays the same object, so that followers can skip it', () => {
  const feed = createTrafficFeed({ clock: Date, monotonic: monotonicClock })
  feed.begin(start('a')).finish()
  const running = feed.begin(start('b'))
  const [a, b] = feed.entries()
  running.addBytes(0, 1)
  expect(feed.entries()[0]).toBe(a)
  expect(feed.entries()[1]).not.toBe(b)
  expect(b?.bytesOut).toBe(0)
})

test('listeners hear once per reading, however much happens', () => {
  const feed = createTrafficFeed({ clock: Date, monotonic: monotonicClock })
  const listener = vi.fn()
  const stop = feed.subscribe(listener)
  const request = feed.begin(start('a'))
  for (let i = 0; i < 1000; i++) request.addBytes(0, 100)
  expect(listener).toHaveBeenCalledOnce()
  feed.entries()
  request.finish()
  expect(listener).toHaveBeenCalledTimes(2)
  stop()
  feed.entries()
  feed.begin(start('b'))
  expect(listener).toHaveBeenCalledTimes(2)
})

test('the counts of the day begin anew at local midnight', () => {
  let nowMs = new Date(2026, 2, 10, 23, 59, 59).getTime()
  const feed = createTrafficFeed({ clock: { now: () => nowMs }, monotonic: { elapsedMs: () => nowMs } })
  feed.begin(start('a', 'in'))
  feed.begin(start('b', 'out'))
  feed.begin(start('c', 'local'))
  expect(feed.today()).toEqual({ in: 1, out: 1, local: 1, unanswered: 0 })
  nowMs += 1000
  expect(feed.today()).toEqual({ in: 0, out: 0, local: 0, unanswered: 0 })
  feed.begin(start('d', 'out'))
  expect(feed.today()).toEqual({ in: 0, out: 1, local: 0, unanswered: 0 })
})

const leg = {
  peer: 'alice',
  outcome: 'failed' as const,
  reason: 'connection lost',
  startMs: 0,
  durationMs: 1,
  connectMs: null,
  ttfbMs: null,
}

test('the tries of a request are kept in order, four at most', () => {
  const feed = createTrafficFeed({ clock: Date, monotonic: monotonicClock })
  const request = feed.begin(start('a'))
  for (const peer of ['a', 'b', 'c', 'd', 'e']) request.attempted({ ...leg, peer })
  const [entry] = feed.entries()
  expect(entry?.legs.map(({ peer }) => peer)).toEqual(['a', 'b', 'c', 'd'])
  request.finish()
  request.attempted(leg)
  expect(TrafficEntrySchema.parse(feed.entries()[0]).legs).toHaveLength(4)
})

test('who follows finished requests hears of each once, with everything that became known', () => {
  const feed = createTrafficFeed({ clock: Date, monotonic: monotonicClock })
  const heard: unknown[] = []
  const stop = feed.onFinished((entry) => heard.push({ ...entry }))
  const request = feed.begin(start('a', 'local'))
  request.attempted(leg)
  expect(heard).toEqual([])
  request.finish({ status: 200, direction: 'out', tokens: 3, tokensFrom: 'usage', tokensIn: 2 })
  request.finish()
  expect(heard).toEqual([expect.objectContaining({ id: 'a', direction: 'out', tokens: 3, legs: [leg] })])
  stop()
  feed.begin(start('b')).finish()
  expect(heard).toHaveLength(1)
})

test('a follower that fails is dropped, and the request does not notice', () => {
  const feed = createTrafficFeed({ clock: Date, monotonic: monotonicClock })
  const bad = vi.fn(() => {
    throw new Error('no')
  })
  const good = vi.fn()
  feed.onFinished(bad)
  feed.onFinished(good)
  feed.begin(start('a')).finish()
  feed.begin(start('b')).finish()
  expect(bad).toHaveBeenCalledOnce()
  expect(good).toHaveBeenCalledTimes(2)
})

test('the day counts a request under the way it took in the end', () => {
  const feed = createTrafficFeed({ clock: Date, monotonic: monotonicClock })
  const request = feed.begin(start('a', 'local'))
  request.update({ direction: 'out' })
  request.finish({ status: 200 })
  expect(feed.today()).toEqual({ in: 0, out: 1, local: 0, unanswered: 0 })
})

test('a request that no provider was asked for counts as unanswered, not as served by this computer', () => {
  const feed = createTrafficFeed({ clock: Date, monotonic: monotonicClock })
  feed.begin(start('nobody', 'local')).finish({ status: 404, error: 'model_not_found', tries: 0 })
  feed.begin(start('failed', 'local')).finish({ status: 502, error: 'upstream_failed', tries: 1 })
  feed.begin(start('gone', 'local')).finish({ cancelledBy: 'client' })
  feed.begin(start('running', 'local'))
  expect(feed.today()).toEqual({ in: 0, out: 0, local: 3, unanswered: 1 })
})
