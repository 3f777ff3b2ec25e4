// Everything that must hold before a change lands, in the order that fails fastest. What CI runs is exactly this.
// Ends with one plain line: N passed, N failed[, N skipped].
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'

const node = process.execPath
const bin = (name) => [node, join('node_modules', ...name)]
const scratch = mkdtempSync(join(tmpdir(), 'ocf-check-'))

const first = [
  ['lock file', [node, '.ci/lock-integrity.ts']],
  ['system packages', [node, '.ci/system-packages.mjs']],
  ['build', bin(['electron-vite', 'bin', 'electron-vite.js']).concat('build')],
]
/**
 * None of these touches what another one reads. Each row runs from left to right, and the rows side by side: a browser
 * keeps one core busy, so the other row has the cores that are left.
 */
const sideBySide = [
  [tests('end-to-end tests', ['e2e'])],
  [
    ['format', bin(['oxfmt', 'bin', 'oxfmt']).concat('--check', '.')],
    ['unused', bin(['knip', 'bin', 'knip.js'])],
    ['lint', bin(['oxlint', 'bin', 'oxlint']).concat('--deny-warnings')],
    ['types', [node, '.ci/types.mjs']],
    tests('unit tests', ['unit', 'contract'], ['--maxWorkers', String(Math.max(1, availableParallelism() - 1))]),
  ],
]
const last = [tests('integration tests', ['integration'])]
const isTests = ([, , results]) => results !== undefined

/** A run of these projects; it leaves its results in a file. */
function tests(name, projects, more = []) {
  const results = join(scratch, `${projects[0]}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
  const chosen = projects.flatMap((project) => ['--project', project])
  return [name, bin(['vitest', 'vitest.mjs']).concat('run', ...reporters, ...chosen, ...more), results]
}

const total = { passed: 0, failed: 0, skipped: 0 }
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

async function runRow(row) {
  for (const step of row) count(step, await runQuietly(...step))
}

/** A step counts as one; a run of tests as its tests, and as a failure more where it says less than that. */
function count(step, green) {
  if (!isTests(step)) {
    total[green ? 'passed' : 'failed'] += 1
    return
  }
  let isGreen = green
  let tested = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 }
  try {
    tested = JSON.parse(readFileSync(step[2], 'utf8'))
  } catch (error) {
    console.error(`The test runner left no result: ${error.message}`)
    isGreen = false
  }
  total.passed += tested.numPassedTests
  total.failed += isGreen ? 0 : Math.max(1, tested.numFailedTests)
  total.skipped += tested.numPendingTests
}

for (const step of first) count(step, run(...step))
await Promise.all(sideBySide.map(runRow))
for (const step of last) count(step, run(...step))
rmSync(scratch, { recursive: true, force: true })

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`)
process.exit(total.failed === 0 ? 0 : 1)
