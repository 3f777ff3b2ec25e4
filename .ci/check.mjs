// Everything that must hold before a change lands, in the order that fails fastest. What CI runs is exactly this.
// Test files that failed run once more, one by one, when nothing else does: what fails twice has failed, what is green
// then was disturbed, and is named as such. Ends with what failed and one plain line: N passed, N failed[, N skipped].
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'

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

/** A run of these projects; it leaves its results in a file. */
function tests(name, projects, more = []) {
  const results = join(scratch, `${projects[0]}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
  const chosen = projects.flatMap((project) => ['--project', project])
  return [name, bin(['vitest', 'vitest.mjs']).concat('run', ...reporters, ...chosen, ...more), results]
}

const total = { passed: 0, failed: 0, skipped: 0 }
/** Of each failure: its step, its file where a test has failed, and what is said of it at the end. */
const failures = []
/** More files than these that failed are a fault, and no disturbance. */
const MOST_FILES_AGAIN = 8
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
function count([name, , results], green) {
  if (results === undefined) {
    total[green ? 'passed' : 'failed'] += 1
    if (!green) failures.push({ name })
    return
  }
  const tested = resultsIn(results)
  total.passed += tested.passed
  total.skipped += tested.skipped
  total.failed += green ? 0 : Math.max(1, tested.failures.length)
  failures.push(...tested.failures)
  if (!green && tested.failures.length === 0) failures.push({ name })
}

/** What a run of tests left: how many passed and were skipped, and each test, or file without any, that failed. */
function resultsIn(path) {
  let told
  try {
    told = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    console.error(`The test runner left no result: ${error.message}`)
    return { passed: 0, skipped: 0, failures: [] }
  }
  const failed = []
  for (const { name: path, status, message, assertionResults } of told.testResults) {
    const file = relative(process.cwd(), path)
    const tests = assertionResults.filter((test) => test.status === 'failed')
    for (const test of tests) failed.push({ name: test.fullName, file, message: test.failureMessages.join('\n') })
    if (status === 'failed' && tests.length === 0) failed.push({ name: 'the file itself', file, message })
  }
  return { passed: told.numPassedTests, skipped: told.numPendingTests, failures: failed }
}

/** Runs each file that had a failure alone. What passes now is counted so, and named. */
function failedFilesAgain() {
  const files = new Set(failures.flatMap(({ file }) => file ?? []))
  if (files.size > MOST_FILES_AGAIN) return
  for (const file of files) {
    const [, command, results] = tests(`${file}, alone`, [file.split('/')[1]], [file])
    const before = failures.filter((failure) => failure.file === file)
    const green = run(`${file}, alone`, command)
    const still = new Set(resultsIn(results).failures.map(({ name }) => name))
    for (const failure of before) {
      if (!green && (still.has(failure.name) || still.size === 0)) continue
      failures.splice(failures.indexOf(failure), 1)
      total.failed -= 1
      total.passed += 1
      console.log(`── disturbed, green alone: ${file}: ${failure.name}\n${firstLines(failure.message)}`)
    }
  }
}

const firstLines = (text = '') => text.split('\n').slice(0, 8).join('\n')

for (const step of first) count(step, run(...step))
await Promise.all(sideBySide.map(runRow))
for (const step of last) count(step, run(...step))
failedFilesAgain()
rmSync(scratch, { recursive: true, force: true })

for (const { name, file, message } of failures)
  console.log(`\nFAILED ${file === undefined ? name : `${file}: ${name}`}\n${firstLines(message)}`)
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`)
process.exit(total.failed === 0 ? 0 : 1)
