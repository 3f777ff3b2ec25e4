import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** The attacks of hostile peers, for ten times as long as in the other tests. */
export default defineConfig({
  root: resolve(import.meta.dirname, '..', '..'),
  test: {
    name: 'hostile',
    include: ['test/integration/hostile-*.test.ts', 'test/integration/forged-rows.test.ts'],
    env: { OCF_TEST_HOSTILE_TIMES: '10' },
    testTimeout: 900_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
})
