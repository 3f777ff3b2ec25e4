import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { startBenchWorker } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import type { LargestRow } from './worker.ts'

const RESULTS = resolve(import.meta.dirname, '../results')
/** Longer than this nothing may keep everything else waiting, on a quiet machine. */
const GOAL_MS = 50

/** The largest of everything that peers, pages, servers and files can hand to a node: how long others wait for it. */
export async function benchLargest(options: BenchOptions): Promise<void> {
  const worker = await startBenchWorker(join(import.meta.dirname, 'worker.ts'), {
    args: [String(options.rounds)],
    hooks: true,
  })
  const rows = worker.first as LargestRow[]
  await worker.stop()
  console.table(
    Object.fromEntries(
      rows.map(({ name, most, stallMs, totalMs, leftMiB, isAtStart }) => [
        name,
        {
          most,
          'longest stall ms': stallMs.toFixed(1),
          'in all ms': totalMs.toFixed(1),
          'left MiB': leftMiB.toFixed(1),
          [`≤ ${GOAL_MS} ms`]: isAtStart ? 'at start' : stallMs <= GOAL_MS ? 'yes' : 'NO',
        },
      ]),
    ),
  )
  const tooLong = rows.filter(({ stallMs, isAtStart }) => !isAtStart && stallMs > GOAL_MS)
  for (const { name, stallMs } of tooLong) {
    console.error(`\n!!! ${name}: everything else waits for ${stallMs.toFixed(0)} ms; ${GOAL_MS} ms is the most.`)
  }
  await mkdir(RESULTS, { recursive: true })
  await writeFile(join(RESULTS, 'largest.json'), `${JSON.stringify(rows, null, 2)}\n`)
}
