import { expect, test } from 'vitest'
import { nearModels } from '../../../../src-main/gateway/routing/near-models.js'

const KNOWN = ['llama3.2:3b', 'meta-llama/Llama-3.1-8B', 'qwen2.5', 'gpt2']

test('a piece of a name or a slip is near', () => {
  expect(nearModels('llama', KNOWN)).toEqual(['llama3.2:3b', 'meta-llama/Llama-3.1-8B'])
  expect(nearModels('LLAMA3.2', KNOWN)).toContain('llama3.2:3b')
  expect(nearModels('qwen2.4', KNOWN)).toEqual(['qwen2.5'])
  expect(nearModels('gpt2-xl', KNOWN)).toEqual(['gpt2'])
})

test('what resembles nothing has no near name, and there are never more than three', () => {
  expect(nearModels('completely-different-thing', KNOWN)).toEqual([])
  expect(nearModels('x', KNOWN)).toEqual([])
  const many = Array.from({ length: 50 }, (_, index) => `model-${index}`)
  expect(nearModels('model', many)).toHaveLength(3)
})

test('an endless name costs nothing', () => {
  expect(nearModels('m'.repeat(100_000), KNOWN)).toEqual([])
})
