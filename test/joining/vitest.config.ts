import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Twenty guests join in each kind of network, by the command line and in a browser, one after the other. */
export default defineConfig({
  root: resolve(import.meta.dirname, '..', '..'),
  test: {
    name: 'joining',
    include: ['test/integration/netns-join.test.ts'],
    env: { OCF_TRIES: process.env['OCF_TRIES'] ?? '20' },
    maxConcurrency: 1,
    hookTimeout: 120_000,
  },
})
