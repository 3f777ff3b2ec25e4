import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { startBenchWorker } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import type { BodyRow } from './worker.ts'

const RESULTS = resolve(import.meta.dirname, '../results')

/** What finding the model in a request's body costs: our scanner beside JSON.parse. */
export async function benchBodies(options: BenchOptions): Promise<void> {
  const worker = await startBenchWorker(join(import.meta.dirname, 'worker.ts'), {
    args: [String(options.rounds), String(options.cellMs)],
    hooks: true,
  })
  const rows = worker.first as BodyRow[]
  await worker.stop()
  console.table(
    Object.fromEntries(
      rows.map(({ row, scanUs, parseUs, ratio }) => [
        row,
        { 'scan µs': scanUs.toFixed(1), 'JSON.parse µs': parseUs.toFixed(1), ratio: ratio.toFixed(2) },
      ]),
    ),
  )
  await mkdir(RESULTS, { recursive: true })
  await writeFile(join(RESULTS, 'bodies.json'), `${JSON.stringify({ rows }, null, 2)}\n`)
}
