import { join } from 'node:path'
import { startBenchWorker } from '../../processes.ts'
import { perRound, ratio, type Figure } from '../figures.ts'
import type { DownloadResult } from '../load/download.ts'
import { watchMemory } from '../process-usage.ts'
import { inRounds } from '../rounds.ts'
import { ELECTRON_CIPHER } from '../topology.ts'
import type { Bench } from './row.ts'

const BYTES = 100 * 1024 * 1024
const PEER = join(import.meta.dirname, '../../network/peer.ts')
/** The heap has its size after that many. */
const WARM_UPS = 3
const CELLS = ['raw', 'direct', 'local', 'remote'] as const

/** A big answer, beside the same number of bytes on a bare libp2p stream between two processes. */
export async function downloadRow(bench: Bench, row = 'download', warmUps = WARM_UPS): Promise<Figure[]> {
  const { ends, pair, transport, options } = bench
  const worker = { hooks: true, imports: bench.cipher === 'wasm' ? [ELECTRON_CIPHER] : [] }
  const server = await startBenchWorker(PEER, { ...worker, args: ['server'] })
  const client = await startBenchWorker(PEER, { ...worker, args: ['client'] })
  const address = (server.first as Record<string, string>)[transport]

  async function measure(cell: (typeof CELLS)[number]): Promise<number> {
    if (cell === 'raw') {
      const sample = await client.ask<{ mebibytesPerSecond: number; error?: string }>({ address, bytes: BYTES })
      if (sample.error !== undefined) throw new Error(sample.error)
      return sample.mebibytesPerSecond
    }
    const url = pair.url(cell, '/v1/bytes')
    return (await ends.client.load<DownloadResult>({ kind: 'download', url, bytes: BYTES })).mebibytesPerSecond
  }

  try {
    for (let round = 0; round < warmUps; round += 1) for (const cell of CELLS) await measure(cell)
    const memory = watchMemory([pair.a.pid, pair.b.pid])
    const results = await inRounds(options.rounds, CELLS, measure)
    const [a = Number.NaN, b = Number.NaN] = memory.stop().map((grown) => grown / 1024)
    const rates = (cell: (typeof CELLS)[number]): number[] => results.get(cell) ?? []
    const share = perRound(rates('remote'), rates('raw'), ratio)
    const withGoals = row === 'download'
    return [
      ...CELLS.map((cell): Figure => ({ row, name: `100 MiB, ${cell}`, unit: 'MiB/s', samples: rates(cell) })),
      {
        row,
        name: '100 MiB, remote: of raw',
        unit: '',
        samples: share,
        ...(withGoals ? { goal: { atLeast: 0.8 } } : {}),
      },
      ...(withGoals
        ? [
            { row, name: 'memory growth after warm-up, A', unit: 'MiB', samples: [a], goal: { atMost: 32 } } as const,
            { row, name: 'memory growth after warm-up, B', unit: 'MiB', samples: [b], goal: { atMost: 32 } } as const,
          ]
        : []),
    ]
  } finally {
    for (const started of [client, server]) await started.stop()
  }
}
