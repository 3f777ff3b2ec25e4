import { getHeapSpaceStatistics } from 'node:v8'
import { afterEach, expect, test } from 'vitest'
import { tuneYoungGeneration } from '../../src-main/young-generation.js'
import { until } from '../fixtures/until.js'

const youngMiB = (): number =>
  (getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0) / 1024 / 1024

let untune = (): void => undefined
afterEach(() => untune())

test('the space for young objects does not grow without end, however much survives', async () => {
  const before = youngMiB()
  untune = tuneYoungGeneration()
  const kept: object[] = []
  let rounds = 0
  const makeMuch = (): boolean => {
    for (let index = 0; index < 50_000; index += 1) kept[(rounds * 50_000 + index) % 200_000] = { index, list: [index] }
    rounds += 1
    return rounds > 80
  }
  // In pieces, so that the collector is heard of in between.
  await until(makeMuch, { what: 'a great deal was made', everyMs: 1 })
  expect(kept).toHaveLength(200_000)
  expect(youngMiB()).toBeLessThanOrEqual(Math.max(before, 64))
})
