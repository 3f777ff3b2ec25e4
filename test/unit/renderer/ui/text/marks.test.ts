import { expect, test } from 'vitest'
import { partsOf } from '../../../../../src-renderer/ui/text/marks.js'

const shown = (text: string): string =>
  partsOf(text)
    .map(({ text: own, mark }) => (mark === undefined ? own : `[${mark}]`))
    .join('')

test('marks that turn the direction of a text, take no room or steer a terminal are told apart from it', () => {
  expect(shown('Ann\u202e\u2066gpj.exe\u2067')).toBe('Ann[U+202E][U+2066]gpj.exe[U+2067]')
  expect(shown('A\u200bn\u200dn\u2060')).toBe('A[U+200B]n[U+200D]n[U+2060]')
  expect(shown('\u001b[31mAnn\u0007')).toBe('[U+001B][31mAnn[U+0007]')
  expect(shown('tag\u{e0041}')).toBe('tag[U+E0041]')
})

test('ordinary writing is one part: emoji, Persian, Hindi, lines and tabs', () => {
  for (const text of ['', 'plain', '👩‍💻🏳️‍🌈', 'می‌خواهم', 'क्‍ष', 'שלום\u200f', 'a\nb\tc']) {
    expect(partsOf(text)).toEqual([{ text }])
  }
})
