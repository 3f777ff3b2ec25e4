import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { startBenchWorker } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import type { Taken } from './worker.ts'

const RESULTS = resolve(import.meta.dirname, '../results')

/**
 * What a connection takes of a processor, over TCP and over WebSocket, by its encryption and its frames: both ends in one process, each way
 * in turns with the others. Other work on the machine changes little of it, as whole nodes' figures do.
 */
export async function benchEncryption({ rounds }: Pick<BenchOptions, 'rounds'>): Promise<void> {
  const worker = await startBenchWorker(join(import.meta.dirname, 'worker.ts'), { hooks: true })
  try {
    const taken = await worker.ask<Record<string, Taken>>({ rounds })
    for (const [name, { messageUs, mebibyteMs }] of Object.entries(taken)) {
      console.log(
        `${name.padEnd(28)} ${messageUs.toFixed(1)} µs a message, ${mebibyteMs.toFixed(2)} ms a MiB, both ends`,
      )
    }
    await mkdir(RESULTS, { recursive: true })
    await writeFile(join(RESULTS, 'encryption.json'), `${JSON.stringify(taken, null, 2)}\n`)
  } finally {
    await worker.stop()
  }
}
