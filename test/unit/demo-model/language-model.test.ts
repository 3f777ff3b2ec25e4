import fc from 'fast-check'
import { expect, test } from 'vitest'
import { learn } from '../../../src-main/demo-model/language-model.js'
import { createRandom } from '../../../src-main/demo-model/random.js'

const TEXT = 'The cat sees the dog. The dog sees a bird. A bird sees the old cat.'

function words(count: number, wishes: { seed: number; temperature?: number; promptWords?: string[] }): string[] {
  const { seed, temperature = 1, promptWords = [] } = wishes
  const writing = learn(TEXT).write({ promptWords, random: createRandom(seed), temperature })
  return Array.from({ length: count }, () => writing.next().value)
}

test('it never says what it has not read', () => {
  const known = new Set(TEXT.toLowerCase().match(/\w+|\./g))
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 2, noNaN: true }), (seed, temperature) => {
      for (const word of words(60, { seed, temperature })) expect(known).toContain(word.toLowerCase())
    }),
    { numRuns: 30 },
  )
})

test('the same seed gives the same words, another seed others', () => {
  expect(words(100, { seed: 1 })).toEqual(words(100, { seed: 1 }))
  expect(words(100, { seed: 1 })).not.toEqual(words(100, { seed: 2 }))
})

test('at temperature 0 the seed does not matter', () => {
  expect(words(50, { seed: 1, temperature: 0 })).toEqual(words(50, { seed: 2, temperature: 0 }))
})

test('it begins with a word of the question that it knows', () => {
  expect(words(2, { seed: 1, promptWords: ['Which', 'bird', 'sings'] })).toEqual(['A', 'bird'])
})

test('without a sentence there is nothing to learn', () => {
  expect(() => learn('')).toThrow(/at least one sentence/)
})
