import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Apart from the other tests: it fetches a real inference engine into a folder of its own. */
export default defineConfig({
  root: resolve(import.meta.dirname, '..', '..'),
  test: {
    name: 'engine',
    include: ['test/engine/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
})
