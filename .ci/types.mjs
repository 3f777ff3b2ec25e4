// Type-checks the worlds apart: shared (no node, no DOM), main (and its tests), renderer, and the browser tests that see both.
import { spawnSync } from 'node:child_process'

let failed = false
for (const world of ['shared', 'main', 'renderer', 'e2e']) {
  const run = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', `tsconfig.${world}.json`], {
    stdio: 'inherit',
  })
  failed ||= run.status !== 0
}
process.exit(failed ? 1 : 0)
