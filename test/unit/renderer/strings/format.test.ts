import { expect, test } from 'vitest'
import {
  count,
  formatAgo,
  formatBytes,
  formatMemory,
  formatMs,
  shortPeerId,
} from '../../../../src-renderer/strings/format.js'

test('numbers have units', () => {
  expect([0, 1, 2, 1234].map((n) => count(n, 'peer'))).toEqual(['0 peers', '1 peer', '2 peers', '1,234 peers'])
  expect([0, 84.4, 999, 1300, 12_000, 125_000].map(formatMs)).toEqual([
    '0 ms',
    '84 ms',
    '999 ms',
    '1.3 s',
    '12 s',
    '2 min 5 s',
  ])
  expect([0, 812, 999, 1000, 4100, 12_345, 2e6, 999_999].map(formatBytes)).toEqual([
    '0 B',
    '812 B',
    '999 B',
    '1.0 kB',
    '4.1 kB',
    '12 kB',
    '2.0 MB',
    '1.0 MB',
  ])
  expect([0, 12, 300, 7200, 200_000].map((s) => formatAgo(0, s * 1000))).toEqual([
    'now',
    '12 s ago',
    '5 min ago',
    '2 h ago',
    '2 d ago',
  ])
  expect(formatAgo(5000, 0)).toBe('now')
})

test('a peer id is shortened to the part that differs', () => {
  expect(shortPeerId('12D3KooWAbcdefghijklmnop')).toBe('…ijklmnop')
  expect(shortPeerId('short')).toBe('short')
})

test('memory of a graphics card is what its label says, not a tenth more', () => {
  // What the drivers of cards with 24, 8 and 1 GB tell, and of one that shares the computer's memory.
  expect([24_564, 8_188, 1_024, 512].map(formatMemory)).toEqual(['24 GB', '8.0 GB', '1.0 GB', '512 MB'])
})
