import { expect, test } from 'vitest'
import { createRelayQuota } from '../../../../../src-main/p2p/reach/relay/relay-quota.js'

const HOUR_MS = 3_600_000

function quota(peerBytes: number, totalBytes: number) {
  const clock = { ms: 0, elapsedMs: () => clock.ms }
  return { clock, quota: createRelayQuota({ clock }, { peerBytes, totalBytes }) }
}

/** Charges byte after byte until the account has had enough. */
function spendAll(relay: ReturnType<typeof createRelayQuota>, account: string): number {
  const before = relay.usedBytes()
  while (relay.mayRelay([account])) relay.charge([account], 1)
  return relay.usedBytes() - before
}

test('an account over its bytes of the hour is cut and gets no new circuit, while others go on', () => {
  const { quota: relay } = quota(100, 1000)
  expect(relay.charge(['a'], 100)).toBe(true)
  expect(relay.mayRelay(['a'])).toBe(false)
  expect(relay.charge(['a'], 1)).toBe(false)
  expect(relay.mayRelay(['b'])).toBe(true)
  expect(relay.charge(['b'], 50)).toBe(true)
})

test('bytes are charged to every account of a circuit, and count once in the whole', () => {
  const { quota: relay } = quota(100, 1000)
  expect(relay.charge(['from a', 'to b'], 100)).toBe(true)
  expect(relay.usedBytes()).toBe(100)
  expect(relay.mayRelay(['from a'])).toBe(false)
  expect(relay.mayRelay(['from c', 'to b'])).toBe(false)
  expect(relay.mayRelay(['from c', 'to d'])).toBe(true)
})

test('one account alone has a fifth of the whole at most, and twenty greedy ones leave the next something', () => {
  const { quota: relay } = quota(100_000, 100_000)
  expect(spendAll(relay, 'first')).toBeLessThanOrEqual(20_001)
  for (let greedy = 1; greedy < 20; greedy += 1) spendAll(relay, String(greedy))
  expect(spendAll(relay, 'newcomer')).toBeGreaterThan(200)
})

test('accounts that are busy side by side use nearly all there is, in equal parts', () => {
  const { quota: relay } = quota(100_000, 104_000)
  const accounts = Array.from({ length: 100 }, (_, at) => String(at))
  const spent = new Map<string, number>(accounts.map((account) => [account, 0]))
  for (let busy = accounts; busy.length > 0; busy = busy.filter((account) => relay.mayRelay([account]))) {
    for (const account of busy) if (relay.charge([account], 10)) spent.set(account, spent.get(account)! + 10)
  }
  expect(relay.usedBytes()).toBeGreaterThan(99_000)
  expect(relay.usedBytes()).toBeLessThanOrEqual(104_000)
  expect(Math.min(...spent.values())).toBeGreaterThan(900)
})

test('a new hour begins with nothing used', () => {
  const { quota: relay, clock } = quota(100, 1000)
  relay.charge(['a'], 100)
  clock.ms = HOUR_MS
  expect(relay.usedBytes()).toBe(0)
  expect(relay.mayRelay(['a'])).toBe(true)
})

test('ten thousand accounts of a byte neither keep a newcomer out nor wash a heavy one clean', () => {
  const { quota: relay } = quota(100, 1e12)
  relay.charge(['heavy'], 100)
  for (let account = 0; account < 10_100; account += 1) relay.charge([String(account)], 1)
  expect(relay.mayRelay(['newcomer'])).toBe(true)
  expect(relay.charge(['newcomer'], 50)).toBe(true)
  expect(relay.mayRelay(['heavy'])).toBe(false)
})
