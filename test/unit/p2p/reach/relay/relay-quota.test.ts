import { expect, test } from 'vitest'
import { createRelayQuota } from '../../../../../src-main/p2p/reach/relay/relay-quota.js'

const HOUR_MS = 3_600_000

function quota(peerBytes: number, totalBytes: number) {
  const clock = { ms: 0, elapsedMs: () => clock.ms }
  return { clock, quota: createRelayQuota({ clock }, { peerBytes, totalBytes }) }
}

test('a peer over its share is cut and gets no new circuit, while others go on', () => {
  const { quota: relay } = quota(100, 1000)
  expect(relay.charge('a', 100)).toBe(true)
  expect(relay.mayRelay('a')).toBe(false)
  expect(relay.charge('a', 1)).toBe(false)
  expect(relay.mayRelay('b')).toBe(true)
  expect(relay.charge('b', 50)).toBe(true)
})

test('all peers together cannot exceed the whole', () => {
  const { quota: relay } = quota(100, 150)
  relay.charge('a', 100)
  relay.charge('b', 50)
  expect(relay.mayRelay('c')).toBe(false)
  expect(relay.charge('b', 1)).toBe(false)
})

test('a new hour begins with nothing used', () => {
  const { quota: relay, clock } = quota(100, 100)
  relay.charge('a', 100)
  clock.ms = HOUR_MS
  expect(relay.usedBytes()).toBe(0)
  expect(relay.mayRelay('a')).toBe(true)
})

test('peers beyond ten thousand in an hour are not taken on', () => {
  const { quota: relay } = quota(100, 1e12)
  for (let peer = 0; peer < 10_000; peer += 1) relay.charge(String(peer), 1)
  expect(relay.mayRelay('newcomer')).toBe(false)
  expect(relay.charge('newcomer', 1)).toBe(false)
  expect(relay.mayRelay('7')).toBe(true)
})
