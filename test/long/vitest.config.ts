import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'
import { LONGER, ONLY_LONG } from './files.js'

/** What takes too long for every change, one after the other; each night and before a release. */
export default defineConfig({
  root: resolve(import.meta.dirname, '..', '..'),
  test: {
    name: 'long',
    include: [...ONLY_LONG, ...LONGER],
    env: { OCF_TEST_LONG: '1' },
    testTimeout: 900_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    maxConcurrency: 1,
  },
})
