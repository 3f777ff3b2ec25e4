import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startBenchNode, startBenchWorker, type BenchWorker } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import { median, percentile, spread } from '../statistics.ts'
import type { Load, LoadResult } from './load-client.ts'

const CONCURRENCIES = [1, 50]
const RESULTS = resolve(import.meta.dirname, '../results')

interface Target {
  name: string
  url: string
}

/** One cell of the table, over all rounds. */
interface Cell {
  target: string
  concurrency: number
  requestsPerSecond: number[]
  p50: number[]
  p90: number[]
  p99: number[]
  failed: number
}

/** Direct, through one gateway (the node that has the server), through two: the same requests, in turns. */
export async function benchGateway(options: BenchOptions): Promise<void> {
  const server = await startBenchWorker(join(import.meta.dirname, 'echo-server.ts'))
  const { port } = server.first as { port: number }
  const quiet = ['--demo-model', 'off']
  const a = await startBenchNode(quiet)
  const share = ['--service.name', 'llm', '--service.port', String(port), '--service.shared-path', 'POST /v1/echo']
  // The owner's default of four requests of peers at a time would be measured in place of the way there.
  const open = ['--limits.concurrent', '1000', '--limits.queue', '1000']
  const b = await startBenchNode([...quiet, ...share, ...open, '--bootstrap.sources', `${a.gateway}/v1/dnt/bootstraps`])
  const client = await startBenchWorker(join(import.meta.dirname, 'load-client.ts'))
  try {
    await untilListed(a.gateway)
    const targets = [
      { name: 'direct', url: `http://127.0.0.1:${port}/v1/echo` },
      { name: 'one gateway', url: `${b.gateway}/v1/service/llm/v1/echo` },
      { name: 'two gateways', url: `${a.gateway}/v1/service/llm/v1/echo` },
    ]
    const cells = await measure(client, targets, options)
    print(cells, options)
    await mkdir(RESULTS, { recursive: true })
    const file = join(RESULTS, 'gateway.json')
    await writeFile(
      file,
      `${JSON.stringify({ options, node: process.version, cores: cpus().length, cells }, null, 2)}\n`,
    )
    console.log(`\nWritten to ${file}`)
  } finally {
    for (const started of [client, b, a, server]) await started.stop()
  }
}

async function measure(client: BenchWorker, targets: Target[], options: BenchOptions): Promise<Cell[]> {
  const cells = CONCURRENCIES.flatMap((concurrency) =>
    targets.map((target): Cell => ({
      ...{ target: target.name, concurrency, requestsPerSecond: [], p50: [], p90: [], p99: [], failed: 0 },
    })),
  )
  const load = (target: Target, concurrency: number, durationMs: number): Promise<LoadResult> =>
    client.ask<LoadResult>({ url: target.url, concurrency, durationMs } satisfies Load)
  for (const target of targets) await load(target, 50, 1_000) // warm-up, not counted
  for (let round = 0; round < options.rounds; round += 1) {
    // Every other round runs backwards, so that a drift of the machine hits all alike.
    const order = round % 2 === 0 ? cells : cells.toReversed()
    for (const cell of order) {
      const target = targets.find(({ name }) => name === cell.target)
      if (target === undefined) continue
      const { latenciesMs, failed, elapsedMs } = await load(target, cell.concurrency, options.cellMs)
      cell.requestsPerSecond.push((latenciesMs.length / elapsedMs) * 1000)
      cell.p50.push(percentile(latenciesMs, 50))
      cell.p90.push(percentile(latenciesMs, 90))
      cell.p99.push(percentile(latenciesMs, 99))
      cell.failed += failed
    }
  }
  return cells
}

function print(cells: Cell[], options: BenchOptions): void {
  console.log(
    `Echo through the gateway: ${options.rounds} alternating rounds of ${options.cellMs} ms a cell, medians; ` +
      `client, gateways and server in processes of their own on ${cpus().length} cores, Node ${process.version}.\n`,
  )
  console.log('concurrency  path           req/s   ratio   p50 ms  p90 ms  p99 ms  added p50  p90/p50  failed  noise')
  for (const cell of cells) {
    const direct = cells.find(({ target, concurrency }) => target === 'direct' && concurrency === cell.concurrency)
    if (direct === undefined) continue
    // Ratios are taken within a round, where the machine was the same, and only then their median.
    const ratio = median(cell.requestsPerSecond.map((rate, round) => rate / (direct.requestsPerSecond[round] ?? NaN)))
    const added = median(cell.p50.map((ms, round) => ms - (direct.p50[round] ?? NaN)))
    console.log(
      [
        String(cell.concurrency).padStart(11),
        ` ${cell.target.padEnd(13)}`,
        median(cell.requestsPerSecond).toFixed(0).padStart(6),
        ratio.toFixed(2).padStart(7),
        ...[cell.p50, cell.p90, cell.p99].map((values) => median(values).toFixed(2).padStart(7)),
        added.toFixed(2).padStart(10),
        (median(cell.p90) / median(cell.p50)).toFixed(2).padStart(8),
        String(cell.failed).padStart(7),
        `±${(spread(cell.requestsPerSecond) * 50).toFixed(0)} %`.padStart(6),
      ].join(' '),
    )
  }
}

async function untilListed(gateway: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const response = await fetch(`${gateway}/v1/models`)
    if ((await response.text()).includes('"echo"')) return
    await pause(50)
  }
  throw new Error(`${gateway} did not learn of the model in 10 s`)
}
