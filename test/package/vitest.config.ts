import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Apart from the other tests: it packs the whole program, which takes a while and changes only with dependencies. */
export default defineConfig({
  root: resolve(import.meta.dirname, '..', '..'),
  test: {
    name: 'package',
    include: ['test/package/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
})
