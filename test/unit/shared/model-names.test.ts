import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPlainName, isPublishable, skeletonOf, ollamaKeyOf } from '#shared/model-names.js'

const LOOK_ALIKES: [what: string, name: string][] = [
  ['a zero-width space', 'llama3.2\u200b'],
  ['a right-to-left override', '\u202ellama3.2'],
  ['a space at its end', 'llama3.2 '],
  ['another case', 'Llama3.2'],
  ['a one-dot leader', 'llama3․2'],
  ['a middle dot', 'llama3·2'],
  ['fullwidth letters', 'ｌｌａｍａ3.2'],
  ['a Cyrillic а', 'llаma3.2'],
  ['a combining mark', 'llama3.2\u0301'],
  ['a soft hyphen', 'lla\u00adma3.2'],
  ['a variation selector', 'llama3.2\ufe0f'],
]

describe('the skeleton of a name', () => {
  test.each(LOOK_ALIKES)('is that of llama3.2 with %s', (_what, name) => {
    expect(skeletonOf(name)).toBe('llama3.2')
    expect(name).not.toBe('llama3.2')
  })

  test('tells names apart that a person does', () => {
    const names = ['llama3.2', 'llama32', 'llama3.1', 'llama3-2', 'llama3.2:1b', 'org/llama3.2', '日本語', '日本']
    expect(new Set(names.map(skeletonOf)).size).toBe(names.length)
  })

  test('is its own skeleton, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (name) => {
        expect(skeletonOf(skeletonOf(name))).toBe(skeletonOf(name))
      }),
    )
  })

  test('of ASCII that can be published is the name but for its case, which is a plain name', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{1,40}$/), (name) => {
        expect([skeletonOf(name), isPlainName(name)]).toEqual([name.toLowerCase(), true])
      }),
    )
    expect(LOOK_ALIKES.map(([, name]) => isPlainName(name)).filter(Boolean)).toHaveLength(1)
  })
})

test('a name with what cannot be seen is never published, whatever surrounds it', () => {
  const unseen = fc.constantFrom('\u200b', '\u202e', '\u0000', '\r\n', '\u001b', '\u2028', '\ud800', '\ufeff')
  fc.assert(
    fc.property(fc.string(), unseen, fc.string(), (before, hidden, after) => {
      expect(isPublishable(before + hidden + after)).toBe(false)
    }),
  )
})

test.each([
  ['llama3.2', 'llama3.2:latest', true],
  ['Llama3.2:LATEST', 'llama3.2:latest', true],
  ['library/llama3.2', 'llama3.2', true],
  ['registry.ollama.ai/library/llama3.2:latest', 'llama3.2', true],
  ['llama3.2:1b', 'llama3.2', false],
  ['someone/llama3.2', 'llama3.2', false],
  ['hf.co/someone/phi-4:Q4_K_M', 'hf.co/someone/phi-4:q4_k_m', true],
  ['localhost:5000/a/b', 'localhost:5000/a/b:latest', true],
])('to Ollama %s and %s are one model: %s', (one, other, isSame) => {
  expect(ollamaKeyOf(one) === ollamaKeyOf(other)).toBe(isSame)
})
