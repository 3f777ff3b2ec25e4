import { expect, test } from 'vitest'
import { LARGEST_INPUTS } from '../fixtures/largest-inputs.js'

test.each(LARGEST_INPUTS)('the largest input is read in full: $name', async ({ make, finds }) => {
  const read = await make()
  expect(await read()).toBe(finds)
})
