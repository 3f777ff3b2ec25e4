import { expect, test } from 'vitest'
import type { LedgerRow } from '#shared/contract/sharing/ledger.js'
import { servedBy, tokensByWeek } from '../../../../../../src-renderer/features/share/ledger/weeks.js'

const row = (day: string, model: string, peer: string | null, tokensOut: number): LedgerRow => ({
  ...{ day, model, peer, tokensOut, requests: 1, failed: 0, tokensIn: 0, tokensEstimated: 0 },
})
/** A Wednesday. */
const TODAY_MS = new Date(2026, 0, 14, 10).getTime()

test('what was served is added up by model or by peer, the most first', () => {
  const rows = [
    row('2026-01-01', 'small', 'ann', 1),
    row('2026-01-02', 'large', 'ann', 9),
    row('2026-01-03', 'small', null, 2),
  ]
  expect(servedBy(rows, 'model')).toEqual([
    { of: 'large', requests: 1, tokens: 9 },
    { of: 'small', requests: 2, tokens: 3 },
  ])
  expect(servedBy(rows, 'peer')).toEqual([
    { of: 'ann', requests: 2, tokens: 10 },
    { of: null, requests: 1, tokens: 2 },
  ])
})

test('weeks begin on Monday and end with this one; who got least is in the rest', () => {
  const rows = [
    row('2026-01-12', 'large', 'ann', 50), // Monday of this week
    row('2026-01-11', 'large', 'ann', 40), // Sunday before
    row('2026-01-14', 'small', 'ann', 3),
    row('2025-01-01', 'large', 'ann', 1000), // long ago
  ]
  const { atMs, series } = tokensByWeek(rows, { division: 'model', weeks: 3, most: 1, todayMs: TODAY_MS })
  expect(atMs.map((at) => new Date(at).getDate())).toEqual([29, 5, 12])
  expect(series).toEqual([
    { of: 'large', tokens: [0, 40, 50] },
    { of: null, tokens: [0, 0, 3] },
  ])
})

test('a ledger without a row has no bars', () => {
  expect(tokensByWeek([], { division: 'peer', weeks: 2, most: 3, todayMs: TODAY_MS }).series).toEqual([])
})
