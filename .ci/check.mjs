// Everything that must hold before a change lands, in the order that fails fastest. What CI runs is exactly this.
// Ends with one plain line: N passed, N failed[, N skipped].
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const node = process.execPath
const bin = (name) => [node, join('node_modules', ...name)]
const scratch = mkdtempSync(join(tmpdir(), 'ocf-check-'))
const results = join(scratch, 'results.json')

const first = [
  ['lock file', [node, '.ci/lock-integrity.ts']],
  ['system packages', [node, '.ci/system-packages.mjs']],
  ['build', bin(['electron-vite', 'bin', 'electron-vite.js']).concat('build')],
]
/** None of these touches what another one reads: they run side by side. */
const sideBySide = [
  ['types', [node, '.ci/types.mjs']],
  ['lint', bin(['eslint', 'bin', 'eslint.js']).concat('.', '--max-warnings', '0')],
  ['unused', bin(['knip', 'bin', 'knip.js'])],
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

async function runQuietly(name, [command, ...args]) {
  const startedAt = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk))
  const status = await new Promise((resolve) => child.once('error', () => resolve(1)).once('close', resolve))
  console.log(
    `\n── ${name}\n${Buffer.concat(said).toString()}── ${name}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds(startedAt)})`,
  )
  return status === 0
}

for (const [name, command] of first) if (!run(name, command)) failed += 1
const outcomes = await Promise.all(sideBySide.map(([name, command]) => runQuietly(name, command)))
failed += outcomes.filter((green) => !green).length

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

const steps = first.length + sideBySide.length
const passed = counts.numPassedTests + steps - Math.min(failed, steps)
const skipped = counts.numPendingTests > 0 ? `, ${counts.numPendingTests} skipped` : ''
failed += counts.numFailedTests
console.log(`\n${passed} passed, ${failed} failed${skipped}`)
process.exit(failed === 0 ? 0 : 1)
