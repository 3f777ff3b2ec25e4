// Type-checks the worlds apart: shared (no node, no DOM), main (and its tests), renderer, and the browser tests that see
// both. What it learned is kept beside the dependencies, so that the next run looks only at what changed.
import { spawnSync } from 'node:child_process'

let failed = false
for (const world of ['shared', 'main', 'renderer', 'e2e']) {
  const kept = ['--incremental', '--tsBuildInfoFile', `node_modules/.cache/types/${world}.tsbuildinfo`]
  const run = spawnSync(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '-p', `tsconfig.${world}.json`, ...kept],
    {
      stdio: 'inherit',
    },
  )
  failed ||= run.status !== 0
}
process.exit(failed ? 1 : 0)
