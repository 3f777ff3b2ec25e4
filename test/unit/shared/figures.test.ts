import { expect, test } from 'vitest'
import {
  counted,
  dayTimeText,
  durationText,
  momentText,
  numberText,
  since,
  sizeText,
  speedText,
} from '../../../src-shared/figures.js'

test('numbers have separators, and a unit in one or many', () => {
  expect([numberText(0), numberText(999), numberText(1_234_567)]).toEqual(['0', '999', '1,234,567'])
  expect([counted(1, 'peer'), counted(1234, 'peer'), counted(0, 'entry', 'entries')]).toEqual([
    ...['1 peer', '1,234 peers', '0 entries'],
  ])
})

test.each([
  [0.2, '<1 ms'],
  [84.4, '84 ms'],
  [999.6, '1.0 s'],
  [1300, '1.3 s'],
  [9960, '10 s'],
  [59_600, '1 min'],
  [125_000, '2 min 5 s'],
  [3_600_000, '1 h'],
  [11_100_000, '3 h 5 min'],
  [86_400_000 * 2 + 3_600_000 * 4, '2 d 4 h'],
])('%d ms are %s', (ms, text) => expect(durationText(ms)).toBe(text))

test.each([
  [812, '812 B'],
  [4100, '4.1 kB'],
  [64_000_000, '64 MB'],
  [999_700_000, '1.0 GB'],
  [13_400_000_000, '13 GB'],
])('%d bytes are %s', (bytes, text) => expect(sizeText(bytes)).toBe(text))

test('the time since something is in its largest unit', () => {
  const nowMs = 1e12
  const ago = [40_000, 5 * 60_000 + 59_000, 3 * 3_600_000, 49 * 3_600_000, -5]
  expect(ago.map((ms) => since(nowMs - ms, nowMs))).toEqual(['40 s', '5 min', '3 h', '2 d', '0 s'])
})

test('a moment has its day where that is another one, and stands on this computer’s clock', () => {
  const nowMs = new Date(2030, 0, 31, 23, 30).getTime()
  expect(momentText(new Date(2030, 0, 31, 4, 5).getTime(), nowMs)).toBe('04:05')
  expect(momentText(new Date(2030, 1, 1, 0, 30).getTime(), nowMs)).toBe('2030-02-01 00:30')
  expect(dayTimeText(nowMs)).toBe('2030-01-31 23:30')
})

test('speeds have a decimal where they are small', () => {
  expect([9.44, 41.2, 1234].map(speedText)).toEqual(['9.4 tokens/s', '41 tokens/s', '1,234 tokens/s'])
})
