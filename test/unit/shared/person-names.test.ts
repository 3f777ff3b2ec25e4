import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cleanName, MAX_NAME_LENGTH } from '#shared/person-names.js'

test('a name is on one line, composed, without anything that cannot be seen, and at most 64 characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const name = cleanName(text)
      expect(Array.from(name).length).toBeLessThanOrEqual(MAX_NAME_LENGTH)
      expect(name).toBe(name.trim())
      expect(name.isWellFormed()).toBe(true)
      expect(name).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u)
      expect(cleanName(name)).toBe(name)
    }),
  )
})

test.each([
  ['  Tom   of\nHolland ', 'Tom of Holland'],
  ['Ann\u202e gpj', 'Ann gpj'],
  ['\u200bA\u200dn\u2060n', 'Ann'],
  ['\u3164\u115f', ''],
  ['Jo\u0308rg', 'Jörg'],
  ['a\ud800b', 'ab'],
  ['x'.repeat(100), 'x'.repeat(64)],
  [`Z${'\u0334'.repeat(40)}`, `Z${'\u0334'.repeat(3)}`],
])('the name %j is shown as %j', (text, name) => {
  expect(cleanName(text)).toBe(name)
})
