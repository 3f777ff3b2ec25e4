import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { ONLY_LONG } from './test/long/files.js'

// Test files and the programs they start compile packages once for all, as `ocf` has it for those that people start.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules', '.cache', 'compiled')

/** One worker a core, four at most. */
const maxWorkers = Math.min(Math.max(availableParallelism(), 2), 4)
/** Integration tests mostly wait for nodes, and measure how long they take: one more than there are cores, and no more. */
const maxIntegrationWorkers = Math.min(maxWorkers + 1, 4)

/** One project per kind of test; `npx vitest run --project unit` runs one of them. */
const project = (name: string, options: Record<string, unknown> = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.{ts,tsx}`], exclude: ONLY_LONG, ...options },
})

export default defineConfig({
  plugins: [react()],
  test: {
    // How long what has to come true may take on a busy machine; what is true goes on at once.
    expect: { poll: { timeout: 20_000 } },
    projects: [
      project('unit', { testTimeout: 60_000, maxWorkers }),
      project('contract', { testTimeout: 60_000, maxWorkers }),
      project('integration', {
        testTimeout: 120_000,
        hookTimeout: 120_000,
        maxWorkers: maxIntegrationWorkers,
        retry: process.env['CI'] === undefined ? 0 : 1,
      }),
      project('e2e', {
        testTimeout: 180_000,
        hookTimeout: 180_000,
        maxWorkers: 1,
        fileParallelism: false,
        // One after the other in one process: modules are read once, and one browser serves most files.
        isolate: false,
        globalSetup: 'test/e2e/scratch.ts',
        retry: process.env['CI'] === undefined ? 0 : 1,
      }),
    ],
  },
})
