import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { startBenchWorker } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import type { RoutingResult } from './worker.ts'

const RESULTS = resolve(import.meta.dirname, '../results')

/** The choice of providers in simulated networks, beside simpler ones: nothing is sent, and a seed fixes the result. */
export async function benchRouting({ seed }: BenchOptions): Promise<void> {
  const worker = await startBenchWorker(join(import.meta.dirname, 'worker.ts'), { hooks: true })
  try {
    const { results, error } = await worker.ask<{ results?: RoutingResult[]; error?: string }>({ seed })
    if (results === undefined) throw new Error(error)
    print(results)
    await mkdir(RESULTS, { recursive: true })
    const file = join(RESULTS, 'routing.json')
    await writeFile(file, `${JSON.stringify({ seed, results }, null, 2)}\n`)
    console.log(`\nWritten to ${file}`)
  } finally {
    await worker.stop()
  }
}

function print(results: readonly RoutingResult[]): void {
  console.log('Time to first token in simulated networks, ms.\n')
  console.log('scenario            policy              p50     p95     p99  errors  retries  requests')
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
        String(outcome.requests).padStart(9),
      ].join(' '),
    )
    last = scenario
  }
}
