import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { startBenchWorker } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import { median, percentile, spread } from '../statistics.ts'

const RESULTS = resolve(import.meta.dirname, '../results')
const PEER = join(import.meta.dirname, 'peer.ts')
const BYTES = 32 * 1024 * 1024
const PATHS = ['tcp', 'ws', 'quic', 'relayed'] as const

type Addresses = Record<(typeof PATHS)[number], string>
interface Sample {
  setUpMs: number
  rttMs: number[]
  mebibytesPerSecond: number
  error?: string
}

/** Raw libp2p streams over each transport and through a relay: connection set-up, round trip, throughput. */
export async function benchNetwork(options: BenchOptions): Promise<void> {
  const relay = await startBenchWorker(PEER, { args: ['relay'], hooks: true })
  const server = await startBenchWorker(PEER, { args: ['server', (relay.first as Addresses).tcp], hooks: true })
  const client = await startBenchWorker(PEER, { args: ['client'], hooks: true })
  const addresses = server.first as Addresses
  const samples = new Map<string, Sample[]>(PATHS.map((path) => [path, []]))
  try {
    for (const path of PATHS) await client.ask({ address: addresses[path], bytes: BYTES }) // warm-up, not counted
    for (let round = 0; round < options.rounds; round += 1) {
      for (const path of round % 2 === 0 ? PATHS : PATHS.toReversed()) {
        const sample = await client.ask<Sample>({ address: addresses[path], bytes: BYTES })
        if (sample.error !== undefined) throw new Error(`${path}: ${sample.error}`)
        samples.get(path)?.push(sample)
      }
    }
    print(samples, options)
    await mkdir(RESULTS, { recursive: true })
    const file = join(RESULTS, 'network.json')
    await writeFile(
      file,
      `${JSON.stringify({ node: process.version, cores: cpus().length, bytes: BYTES, samples: Object.fromEntries(samples) }, null, 2)}\n`,
    )
    console.log(`\nWritten to ${file}`)
  } finally {
    for (const worker of [client, server, relay]) await worker.stop()
  }
}

function print(samples: Map<string, Sample[]>, options: BenchOptions): void {
  console.log(
    `Raw streams: ${options.rounds} alternating rounds of ${BYTES / 1024 / 1024} MiB and 100 round trips, medians; ` +
      `each end and the relay in a process of its own on ${cpus().length} cores, loopback, Node ${process.version}.\n`,
  )
  console.log('path      set-up ms  RTT p50 ms  RTT p99 ms   MiB/s  of tcp  noise')
  const tcp = samples.get('tcp') ?? []
  for (const [path, list] of samples) {
    const rates = list.map(({ mebibytesPerSecond }) => mebibytesPerSecond)
    const rtts = list.flatMap(({ rttMs }) => rttMs)
    const ratio = median(rates.map((rate, round) => rate / (tcp[round]?.mebibytesPerSecond ?? Number.NaN)))
    console.log(
      [
        path.padEnd(9),
        median(list.map(({ setUpMs }) => setUpMs))
          .toFixed(1)
          .padStart(9),
        percentile(rtts, 50).toFixed(2).padStart(11),
        percentile(rtts, 99).toFixed(2).padStart(11),
        median(rates).toFixed(0).padStart(7),
        ratio.toFixed(2).padStart(7),
        `±${(spread(rates) * 50).toFixed(0)} %`.padStart(6),
      ].join(' '),
    )
  }
}
