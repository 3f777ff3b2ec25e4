import type { Connection } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { PeerBudget } from '../../../../../src-main/p2p/hardening/stream-bounds/peer-budget.js'

const from = (peer: string, host = '192.0.2.1') =>
  ({
    remotePeer: { toString: () => peer },
    remoteAddr: { toString: () => `/ip4/${host}/tcp/1` },
  }) as unknown as Connection

test('what a peer has spent comes back with time, whatever connection it uses', () => {
  let nowMs = 0
  const budget = new PeerBudget({ capacity: 10, refillPerS: 1 }, { clock: { elapsedMs: () => nowMs } })
  expect(budget.spend(from('a'), 10)).toBeUndefined()
  expect(budget.spend(from('a', '192.0.2.2'), 1)).toBe('peer')
  nowMs = 2000
  expect(budget.spend(from('a'), 2)).toBeUndefined()
  expect(budget.spend(from('a'), 1)).toBe('peer')
})

test('new identities of one address share what it may spend, and another address is not touched by it', () => {
  const budget = new PeerBudget({ capacity: 10, refillPerS: 1 }, { clock: { elapsedMs: () => 0 } })
  const spenders = Array.from({ length: 20 }, (_, index) => budget.spend(from(`id ${index}`), 10))
  expect(spenders.filter((spender) => spender === undefined)).toHaveLength(8)
  expect(spenders.at(-1)).toBe('source')
  expect(budget.spend(from('honest', '192.0.2.9'), 10)).toBeUndefined()
})
