import type { PeerId } from '@libp2p/interface'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRelayRetry, type RelayRetry } from '../../../../../src-main/p2p/reach/relay/relay-retry.js'
import { silentLog } from '../../../../fixtures/hosts.js'

const RELAY = { toString: () => 'relay' } as PeerId
let retry: RelayRetry
beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  retry.stop()
  vi.useRealTimers()
})

/** A node connected to one relay that gives a place when it was asked so many times. */
function started(givesAt: number, isConnected = true): { asked: () => number } {
  let asked = 0
  const reservations = {
    untilMs: () => (asked >= givesAt ? 1 : undefined),
    get isWanting() {
      return asked < givesAt
    },
    ask: () => {
      asked += 1
      return asked >= givesAt ? Promise.resolve() : Promise.reject(new Error('the stream was closed'))
    },
    watch: <T>(transport: T) => transport,
  }
  const libp2p = {
    peerStore: { all: () => Promise.resolve([{ id: RELAY }]) },
    getConnections: () => (isConnected ? [{}] : []),
  }
  retry = createRelayRetry({ libp2p: libp2p as never, reservations, log: silentLog })
  return { asked: () => asked }
}

test('a relay whose first answer was lost is asked again until it gives a place, and not after', async () => {
  const { asked } = started(3)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(asked()).toBe(1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked()).toBe(3)
})

test('a relay that never gives one is asked less and less often', async () => {
  const { asked } = started(Number.POSITIVE_INFINITY)
  await vi.advanceTimersByTimeAsync(60 * 60_000)
  expect(asked()).toBeGreaterThan(5)
  expect(asked()).toBeLessThan(15)
})

test('a relay that is not connected is not asked', async () => {
  const { asked } = started(1, false)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked()).toBe(0)
})
