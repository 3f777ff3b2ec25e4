import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startBenchWorker } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import { median } from '../statistics.ts'

const RESULTS = resolve(import.meta.dirname, '../results')
const SAMPLES = 20
/** The first samples still see connections being made. */
const SETTLE_MS = 20_000
/** What may be added between the first and the last third of the samples. */
const TOLERANCE = 0.1

interface Sample {
  rssMiB: number
  heapMiB: number
  handles: number
  timers: number
  restarts: number
  sent: Record<string, number>
  rowsSeen: boolean
  connected: boolean
}

/** A network for some minutes, whose nodes die and come back if that is asked for: nothing may grow, the table has to be right at the end, and little be sent. */
export async function benchSoak({ minutes, nodes, churnMs }: BenchOptions): Promise<void> {
  const worker = await startBenchWorker(join(import.meta.dirname, 'network.ts'), {
    args: [String(nodes), String(churnMs)],
    hooks: true,
    gc: true,
  })
  const samples: Sample[] = []
  const everyMs = (minutes * 60_000) / SAMPLES
  try {
    await pause(SETTLE_MS)
    await worker.ask({})
    for (let index = 0; index < SAMPLES; index += 1) {
      await pause(everyMs)
      samples.push(await worker.ask<Sample>({ last: index === SAMPLES - 1 }))
    }
  } finally {
    await worker.stop()
  }
  const growth = growthOf(samples)
  const restarts = samples.at(-1)?.restarts ?? 0
  console.log(`Soak: ${nodes} nodes in one process for ${minutes} min, ${restarts} killed and started again.\n`)
  for (const [name, { from, to, grown }] of Object.entries(growth)) {
    console.log(
      `${name.padEnd(8)} ${from.toFixed(1).padStart(8)} → ${to.toFixed(1).padStart(8)}  ${(grown * 100).toFixed(1)} %`,
    )
  }
  const perNode = idleBytes(samples, nodes, everyMs)
  console.log(`\nSent on streams per node: ${perNode.total.toFixed(0)} B/s`)
  for (const [protocol, rate] of perNode.byProtocol) console.log(`  ${protocol.padEnd(40)} ${rate.toFixed(1)} B/s`)
  await mkdir(RESULTS, { recursive: true })
  await writeFile(
    join(RESULTS, 'soak.json'),
    `${JSON.stringify({ minutes, nodes, growth, perNode, samples }, null, 2)}\n`,
  )
  const last = samples.at(-1)
  const problems = [
    ...Object.entries(growth)
      .filter(([, { grown }]) => grown > TOLERANCE)
      .map(([name]) => `${name} grew`),
    ...(last?.rowsSeen === true ? [] : ['not every node sees every row']),
    ...(last?.connected === true ? [] : ['the network fell apart']),
  ]
  console.log(problems.length === 0 ? '\nFlat, and the table is right.' : `\nFAILED: ${problems.join(', ')}`)
  if (problems.length > 0) process.exitCode = 1
}

function growthOf(samples: readonly Sample[]): Record<string, { from: number; to: number; grown: number }> {
  const third = Math.max(1, Math.floor(samples.length / 3))
  const of = (read: (sample: Sample) => number) => {
    const from = median(samples.slice(0, third).map(read))
    const to = median(samples.slice(-third).map(read))
    return { from, to, grown: to / from - 1 }
  }
  return {
    rss: of(({ rssMiB }) => rssMiB),
    heap: of(({ heapMiB }) => heapMiB),
    handles: of(({ handles }) => handles),
    timers: of(({ timers }) => timers),
  }
}

function idleBytes(samples: readonly Sample[], nodes: number, everyMs: number) {
  const seconds = (samples.length * everyMs) / 1000
  const totals = new Map<string, number>()
  for (const { sent } of samples) {
    for (const [protocol, bytes] of Object.entries(sent)) totals.set(protocol, (totals.get(protocol) ?? 0) + bytes)
  }
  const byProtocol = [...totals].map(([protocol, bytes]): [string, number] => [protocol, bytes / seconds / nodes])
  byProtocol.sort((a, b) => b[1] - a[1])
  return { total: byProtocol.reduce((sum, [, rate]) => sum + rate, 0), byProtocol }
}
