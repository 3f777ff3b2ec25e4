// Everything that must hold before a change lands, in the order that fails fastest. What CI runs is exactly this.
// Ends with one plain line: N passed, N failed[, N skipped].
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const node = process.execPath
const bin = (name) => [node, join('node_modules', ...name)]
const scratch = mkdtempSync(join(tmpdir(), 'ocf-check-'))
const results = join(scratch, 'results.json')

const steps = [
  ['browser', [node, '.ci/browser.mjs']],
  ['build', bin(['electron-vite', 'bin', 'electron-vite.js']).concat('build')],
  ['types', [node, '.ci/types.mjs']],
  ['lint', bin(['eslint', 'bin', 'eslint.js']).concat('.', '--max-warnings', '0')],
  ['format', bin(['prettier', 'bin', 'prettier.cjs']).concat('--check', '--log-level', 'warn', '.')],
]

let failed = 0
const seconds = (from) => `${((performance.now() - from) / 1000).toFixed(1)} s`

function run(name, [command, ...args]) {
  const startedAt = performance.now()
  console.log(`\n── ${name}`)
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  console.log(`── ${name}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds(startedAt)})`)
  return status === 0
}

for (const [name, command] of steps) if (!run(name, command)) failed += 1

const vitest = bin(['vitest', 'vitest.mjs']).concat(
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${results}`,
)
const green = run('tests', vitest)
let counts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 }
try {
  counts = JSON.parse(readFileSync(results, 'utf8'))
} catch (error) {
  console.error(`The test runner left no result: ${error.message}`)
  failed += 1
}
if (!green && counts.numFailedTests === 0) failed += 1
rmSync(scratch, { recursive: true, force: true })

const passed = counts.numPassedTests + steps.length - Math.min(failed, steps.length)
const skipped = counts.numPendingTests > 0 ? `, ${counts.numPendingTests} skipped` : ''
failed += counts.numFailedTests
console.log(`\n${passed} passed, ${failed} failed${skipped}`)
process.exit(failed === 0 ? 0 : 1)
