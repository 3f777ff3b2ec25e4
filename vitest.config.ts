import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

/** One project per kind of test; `npx vitest run --project unit` runs one of them. */
const project = (name: string, options: Record<string, unknown> = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.{ts,tsx}`], ...options },
})

export default defineConfig({
  plugins: [react()],
  test: {
    // Programs that tests start compile once for all, as `ocf` has it for those that people start.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'compiled') },
    // How long what has to come true may take on a busy machine; what is true goes on at once.
    expect: { poll: { timeout: 20_000 } },
    projects: [
      project('unit', { testTimeout: 60_000 }),
      project('contract', { testTimeout: 60_000 }),
      project('integration', {
        testTimeout: 120_000,
        hookTimeout: 120_000,
        // Much of their time is waiting for networks; each has its own ports, folders and namespaces.
        maxWorkers: 2,
        retry: process.env['CI'] === undefined ? 0 : 1,
      }),
      project('e2e', {
        testTimeout: 180_000,
        hookTimeout: 180_000,
        maxWorkers: 1,
        fileParallelism: false,
        retry: process.env['CI'] === undefined ? 0 : 1,
      }),
    ],
  },
})
