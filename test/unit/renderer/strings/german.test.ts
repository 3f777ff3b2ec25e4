import { describe, expect, test } from 'vitest'
import { strings as english } from '../../../../src-renderer/strings/all.js'
import { german } from '../../../../src-renderer/strings/german/index.js'
import { languageFor } from '../../../../src-renderer/strings/languages/language.js'
import { translated } from '../../../../src-renderer/strings/languages/translated.js'

/** Every word or sentence of a tree, by its path; figures are no matter of language. */
function leaves(value: unknown, path = ''): [path: string, leaf: unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`))
  }
  return value === undefined || value === null || typeof value === 'number' ? [] : [[path, value]]
}

const GERMAN = new Map(leaves(german))
const ENGLISH = leaves(english)
/** The same in both languages. */
const SAME = new Set(['product', 'unknown'])

describe('the German words', () => {
  test('no key of the English words is missing in German', () => {
    expect(ENGLISH.map(([path]) => path).filter((path) => !GERMAN.has(path) && !SAME.has(path))).toEqual([])
  })

  test('no German word stands for what English does not say', () => {
    const known = new Set(ENGLISH.map(([path]) => path))
    expect([...GERMAN.keys()].filter((path) => !known.has(path))).toEqual([])
  })

  test('what takes figures or names in English takes as many in German', () => {
    const wrong = ENGLISH.filter(([path, words]) => {
      const translation = GERMAN.get(path)
      if (translation === undefined || typeof words !== 'function') return false
      return (
        typeof translation !== 'function' ||
        translation.length > words.length ||
        (translation.length === 0 && words.length > 0)
      )
    })
    expect(wrong.map(([path]) => path)).toEqual([])
  })

  test('lists have as many entries, with the same values behind them', () => {
    for (const [path, words] of ENGLISH) {
      if (!Array.isArray(words)) continue
      const translation = GERMAN.get(path) as readonly { value?: string }[]
      expect([path, translation.length]).toEqual([path, words.length])
      const values = (list: readonly { value?: string }[]) => list.map(({ value }) => value)
      expect([path, values(translation)]).toEqual([path, values(words as readonly { value?: string }[])])
    }
  })

  test('German words stand in place of the English ones, and what is not translated stays English', () => {
    const words = translated({ a: 'one', b: { c: 'two', ms: 5 }, d: (n: number) => `${n}` }, { b: { c: 'zwei' }, x: 1 })
    expect(words).toMatchObject({ a: 'one', b: { c: 'zwei', ms: 5 } })
    expect(words.d(3)).toBe('3')
    const all = translated(english, german)
    expect(all.nav.settings).toBe('Einstellungen')
    expect(all.share.pauseFor.hour).toEqual({ title: '1 Std. Pause', ms: 3_600_000 })
    expect(all.home.facts.given(1_234)).toBe('heute 1.234 Anfragen von Peers')
  })
})

test.each([
  ['auto', ['de-AT', 'en'], 'de'],
  ['auto', ['fr', 'de'], 'de'],
  ['auto', ['fr'], 'en'],
  ['auto', [], 'en'],
  ['en', ['de'], 'en'],
  ['de', ['en'], 'de'],
] as const)('with the choice %s and a system that wants %j the page is in %s', (choice, wanted, language) => {
  expect(languageFor(choice, wanted)).toBe(language)
})
