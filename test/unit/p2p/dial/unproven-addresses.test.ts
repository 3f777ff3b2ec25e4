import { expect, test } from 'vitest'
import { type DialAddress, readDialAddress } from '../../../../src-main/p2p/dial/dial-policy.js'
import { type DialFailure, UnprovenAddresses } from '../../../../src-main/p2p/dial/unproven-addresses.js'

const PEER = '12D3KooWDG6KQHGgqSKbkKZH5xvz9iwm2qyNtFv1u87QCuDCUDiM'
const address = (text: string, peerId = PEER): DialAddress => readDialAddress(`${text}/p2p/${peerId}`)!
const HOUR_MS = 3_600_000

function addresses() {
  const clock = { ms: 0, elapsedMs: () => clock.ms }
  const unproven = new UnprovenAddresses(clock)
  /** Attempts in a time when one is made as soon as it may be, and all fail alike. */
  function attempts(target: DialAddress, failure: DialFailure, lastingMs: number): number {
    const endMs = clock.ms + lastingMs
    let made = 0
    for (; clock.ms < endMs; clock.ms += 1_000) {
      if (unproven.isPaused(target) || !unproven.begin(target)) continue
      made += 1
      unproven.end(target)
      unproven.failed(target, failure)
    }
    return made
  }
  return { clock, unproven, attempts }
}

test('a port that speaks another protocol is tried twice in its first minute and seven times in a day', () => {
  const { attempts } = addresses()
  const port = address('/ip4/5.0.0.1/tcp/43905')
  expect(attempts(port, 'other-protocol', 60_000)).toBe(2)
  expect(attempts(port, 'other-protocol', 24 * HOUR_MS - 60_000)).toBeLessThanOrEqual(5)
})

test('an address where nobody answers is tried five times, and then less and less', () => {
  const { attempts } = addresses()
  const silent = address('/ip4/5.0.0.1/tcp/43905')
  expect(attempts(silent, 'unanswered', 60_000)).toBe(5)
  expect(attempts(silent, 'unanswered', 24 * HOUR_MS)).toBeLessThan(30)
})

test('a port is the same one whoever is said to be there and whichever of TCP and WebSocket it is said to speak', () => {
  const { unproven } = addresses()
  unproven.failed(address('/ip4/5.0.0.1/tcp/43905'), 'other-protocol')
  const other = '12D3KooWGRUFBDQB7ZCJ4QG1YQv5kDTJwZ3T1Xg6QBMsbLHwoVxR'
  expect(unproven.isPaused(address('/ip4/5.0.0.1/tcp/43905/ws', other))).toBe(true)
  expect(unproven.isPaused(address('/ip4/5.0.0.1/udp/43905/quic-v1'))).toBe(false)
  expect(unproven.isPaused(address('/ip4/5.0.0.1/tcp/43906'))).toBe(false)
})

test('an address that has worked is never given up for longer than ten minutes', () => {
  const { clock, unproven } = addresses()
  const known = address('/ip4/5.0.0.1/tcp/43905')
  unproven.answered(known)
  for (let times = 0; times < 50; times += 1) unproven.failed(known, 'other-protocol')
  expect(unproven.isPaused(known)).toBe(true)
  clock.ms += 10 * 60_000
  expect(unproven.isPaused(known)).toBe(false)
})

test('an answer ends a pause', () => {
  const { unproven } = addresses()
  const late = address('/ip4/5.0.0.1/tcp/43905')
  unproven.failed(late, 'other-protocol')
  unproven.answered(late)
  expect(unproven.isPaused(late)).toBe(false)
})

test('of one host thirty ports are tried at once, and twelve more a minute, under however many peer ids', () => {
  const { clock, unproven } = addresses()
  const port = (number: number): DialAddress => address(`/ip4/5.0.0.1/tcp/${10_000 + number}`, `peer${number}`)
  const begun = (count: number, from: number): number =>
    Array.from({ length: count }, (_, index) => unproven.begin(port(from + index))).filter(Boolean).length
  expect(begun(1_000, 0)).toBe(30)
  clock.ms += 60_000
  expect(begun(1_000, 2_000)).toBe(12)
})

test('of one peer thirty addresses are tried at once, at however many hosts', () => {
  const { unproven } = addresses()
  const begun = Array.from({ length: 200 }, (_, index) => unproven.begin(address(`/ip4/5.0.${index}.1/tcp/43905`)))
  expect(begun.filter(Boolean)).toHaveLength(30)
})

test('at an address that has not worked yet one attempt is made at a time', () => {
  const { unproven } = addresses()
  const one = address('/ip4/5.0.0.1/tcp/43905')
  expect([unproven.begin(one), unproven.begin(one)]).toEqual([true, false])
  unproven.end(one)
  expect(unproven.begin(one)).toBe(true)
  unproven.answered(one)
  expect([unproven.begin(one), unproven.begin(one)]).toEqual([true, true])
})
