import fc from 'fast-check'
import { expect, test } from 'vitest'
import { consideredAnew } from '../../../../../src-main/gateway/routing/estimate/considered.js'
import { MAX_LEGS, type TrafficCandidate } from '../../../../../src-shared/contract/node/traffic.js'

const candidate = (peer: string): TrafficCandidate => ({
  ...{ peer, rttMs: 1, fixedMs: 2, readMs: 3, queueMs: 4, hangMs: 0, unreadTokens: 5 },
})
const peers = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 1 }), { maxLength: 8 })

test('candidates that are chosen anew keep who was asked, name nobody twice, and are never more than are shown', () => {
  fc.assert(
    fc.property(peers, peers, fc.nat(3), (before, left, count) => {
      const shown = before.slice(0, MAX_LEGS)
      const asked = new Set(shown.slice(0, count))
      const anew = consideredAnew(shown.map(candidate), asked, left.map(candidate)).map(({ peer }) => peer)
      expect(anew.length).toBeLessThanOrEqual(MAX_LEGS)
      expect(new Set(anew).size).toBe(anew.length)
      expect(anew.slice(0, asked.size)).toEqual([...asked])
      const rest = left.filter((peer) => !asked.has(peer))
      expect(anew.slice(asked.size)).toEqual(rest.slice(0, MAX_LEGS - asked.size))
    }),
  )
})
