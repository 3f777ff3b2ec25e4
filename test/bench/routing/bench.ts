import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { startBenchWorker } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import type { ChoiceCost } from './choice-cost.ts'
import type { TraceRow } from './trace/run-trace.ts'
import { PUBLISHED_AT } from './trace/trace-file.ts'
import type { RoutingResult } from './worker.ts'

const RESULTS = resolve(import.meta.dirname, '../results')

/** The choice of providers in simulated networks, beside simpler ones: nothing is sent, and a seed fixes the result. */
export async function benchRouting(options: BenchOptions): Promise<void> {
  if (options.trace !== undefined) {
    await benchTrace(options, options.trace)
    return
  }
  console.log(`Without --trace=FILE the own scenarios are run. Traces are published at ${PUBLISHED_AT}\n`)
  const { seed } = options
  const worker = await startBenchWorker(join(import.meta.dirname, 'worker.ts'), { hooks: true })
  try {
    const answer = await worker.ask<{ results?: RoutingResult[]; costs?: ChoiceCost[]; error?: string }>({ seed })
    const { results, costs = [], error } = answer
    if (results === undefined) throw new Error(error)
    print(results)
    for (const cost of costs) printCost(cost)
    await mkdir(RESULTS, { recursive: true })
    const file = join(RESULTS, 'routing.json')
    await writeFile(file, `${JSON.stringify({ seed, results, costs }, null, 2)}\n`)
    console.log(`\nWritten to ${file}`)
  } finally {
    await worker.stop()
  }
}

/** Replays a published trace on simulated providers. */
async function benchTrace({ seed, traceMinutes, gateways, json }: BenchOptions, file: string): Promise<void> {
  if (!existsSync(file)) {
    throw new Error(`There is no trace ${file}. Traces in this format are published at ${PUBLISHED_AT}`)
  }
  const worker = await startBenchWorker(join(import.meta.dirname, 'worker.ts'), { hooks: true })
  try {
    const trace = { file, minutes: traceMinutes, gateways, seed }
    const { rows, error } = await worker.ask<{ rows?: TraceRow[]; error?: string }>({ seed, trace })
    if (rows === undefined) throw new Error(error)
    printTrace(rows)
    await mkdir(RESULTS, { recursive: true })
    const whole = join(RESULTS, 'routing-trace.json')
    await writeFile(whole, `${JSON.stringify({ seed, minutes: traceMinutes, rows }, null, 2)}\n`)
    if (json !== undefined) await writeFile(json, `${JSON.stringify({ rows: rows.map(published) })}\n`)
    console.log(`\nWritten to ${json === undefined ? whole : `${whole} and ${json}`}`)
  } finally {
    await worker.stop()
  }
}

/** What others compare: `--json` writes these members and no more. */
function published({ gateways, policy, p50Ms, p95Ms, p99Ms, errors, retries, cacheHits }: TraceRow): Partial<TraceRow> {
  return { gateways, policy, p50Ms, p95Ms, p99Ms, errors, retries, cacheHits }
}

function printTrace(rows: readonly TraceRow[]): void {
  console.log('Time to first token, then to the end of the answer, ms; simulated.\n')
  console.log(
    'gateways  policy                p50     p95     p99   e2e 50  e2e 95  errors  retries  second  cached  fairness   of reference',
  )
  for (const row of rows) {
    const reference = rows.find(({ policy, gateways }) => policy === 'reference' && gateways === row.gateways)
    const times = [row.p50Ms, row.p95Ms, row.p99Ms, row.endToEndP50Ms, row.endToEndP95Ms]
    console.log(
      [
        String(row.gateways).padStart(8),
        ` ${row.policy.padEnd(17)}`,
        ...times.map((ms) => ms.toFixed(0).padStart(7)),
        String(row.errors).padStart(7),
        String(row.retries).padStart(8),
        String(row.seconds).padStart(7),
        `${(row.cacheHits * 100).toFixed(1)} %`.padStart(7),
        row.fairness.toFixed(2).padStart(9),
        reference === undefined ? '' : (row.p95Ms / reference.p95Ms).toFixed(2).padStart(14),
      ].join(' '),
    )
  }
}

function printCost({ candidates, promptKib, microseconds, cpuMicroseconds, leastCpuMicroseconds }: ChoiceCost): void {
  const what = `One choice among ${candidates}, prompt of ${promptKib} KiB`
  const figures = [cpuMicroseconds, leastCpuMicroseconds, microseconds].map((figure) => figure.toFixed(1))
  console.log(
    `\n${what}: ${figures[0]} µs of a processor, ${figures[1]} undisturbed; ${figures[2]} µs by the clock. Goal: 30`,
  )
}

function print(results: readonly RoutingResult[]): void {
  console.log('Time to first token in simulated networks, ms.\n')
  console.log('scenario            policy              p50     p95     p99  errors  retries  second  requests')
  let last = ''
  for (const { scenario, policy, outcome } of results) {
    if (last !== '' && scenario !== last) console.log('')
    console.log(
      [
        (scenario === last ? '' : scenario).padEnd(19),
        policy.padEnd(15),
        ...[outcome.p50, outcome.p95, outcome.p99].map((ms) => ms.toFixed(0).padStart(7)),
        String(outcome.errors).padStart(7),
        String(outcome.retries).padStart(8),
        String(outcome.seconds).padStart(7),
        String(outcome.requests).padStart(9),
      ].join(' '),
    )
    last = scenario
  }
}
