import { startBenchWorker } from '../../processes.ts'
import { percentile } from '../../statistics.ts'
import { difference, perRound, ratio, type Figure, type Goal } from '../figures.ts'
import type { LoadResult } from '../load/echo.ts'
import { usageOf } from '../process-usage.ts'
import { inRounds } from '../rounds.ts'
import { BARE_PROXY, WAYS, type Way } from '../topology.ts'
import type { Bench } from './row.ts'

/** The ways to the server, and one through the least gateway there can be. */
type EchoWay = Way | 'bare'

interface Cell {
  way: EchoWay
  concurrency: number
}

/** What one cell of one round came to. */
interface Sample {
  requestsPerS: number
  p50: number
  p90: number
  p99: number
  failed: number
  /** CPU time for a request, µs, of each process. */
  cpuUs: Record<Worker, number>
}

const WORKERS = ['client', 'server', 'gateway A', 'gateway B'] as const
type Worker = (typeof WORKERS)[number]

/** Requests at a time: latency alone, the burst of a script, and as much as the machine can. */
const CONCURRENCIES = [1, 50, 64]
/** Until the engine has compiled what is hot: before, a request takes two to three times as much of a processor. */
const WARM_UP_MS = 4_000

const GOALS: Record<'ratio' | 'added', Record<Exclude<Way, 'direct'>, Goal>> = {
  ratio: { local: { atLeast: 0.4 }, remote: { atLeast: 0.16 } },
  added: { local: { atMost: 0.25 }, remote: { atMost: 0.6 } },
}
const TAIL: Goal = { atMost: 2 }

/** The same small request straight and through the gateways. `withGoals` is for the transport the goals are meant for. */
export async function echoRow(bench: Bench, row = 'echo', concurrencies = CONCURRENCIES): Promise<Figure[]> {
  const { options } = bench
  const bare = await startBenchWorker(BARE_PROXY, { args: [bench.pair.url('direct', '')] })
  const url = (way: EchoWay): string =>
    way === 'bare'
      ? `http://127.0.0.1:${(bare.first as { port: number }).port}/v1/echo`
      : bench.pair.url(way, '/v1/echo')
  const cells = concurrencies.flatMap((concurrency) => WAYS.map((way): Cell => ({ way, concurrency })))
  cells.push({ way: 'bare', concurrency: 64 })
  let results: Map<Cell, Sample[]>
  try {
    for (const way of [...WAYS, 'bare'] as const) {
      await bench.ends.client.load<LoadResult>({ kind: 'echo', url: url(way), concurrency: 64, durationMs: WARM_UP_MS })
    }
    results = await inRounds(options.rounds, cells, (cell) => measure(bench, cell, url(cell.way)))
  } finally {
    await bare.stop()
  }
  const samplesOf = (way: EchoWay, concurrency: number): Sample[] =>
    results.get(cells.find((cell) => cell.way === way && cell.concurrency === concurrency) as Cell) ?? []
  const figures = concurrencies.flatMap((concurrency) => {
    const direct = samplesOf('direct', concurrency)
    return [
      ...latencies(row, `c${concurrency} direct`, direct),
      ...(['local', 'remote'] as const).flatMap((way) => {
        const samples = samplesOf(way, concurrency)
        const name = `c${concurrency} ${way}`
        return [
          ...compared(row, name, samples, direct, row === 'echo' ? goalsOf(way, concurrency) : {}),
          ...latencies(row, name, samples),
          ...(concurrency === 64 ? cpu(row, name, samples, way) : []),
        ]
      }),
    ]
  })
  return [
    ...figures,
    {
      row,
      name: 'c64 bare proxy: throughput, of direct',
      unit: '',
      samples: perRound(
        samplesOf('bare', 64).map((s) => s.requestsPerS),
        samplesOf('direct', 64).map((s) => s.requestsPerS),
        ratio,
      ),
    },
  ]
}

async function measure(bench: Bench, { concurrency }: Cell, url: string): Promise<Sample> {
  const { ends, pair, options } = bench
  const pids = [ends.client.pid, ends.server.pid, pair.a.pid, pair.b.pid]
  const before = pids.map((pid) => usageOf(pid).cpuMs)
  const { latenciesMs, failed, elapsedMs } = await ends.client.load<LoadResult>({
    ...{ kind: 'echo', url, concurrency, durationMs: options.cellMs },
  })
  const perRequest = pids.map(
    (pid, index) => ((usageOf(pid).cpuMs - (before[index] ?? Number.NaN)) * 1000) / latenciesMs.length,
  )
  return {
    requestsPerS: (latenciesMs.length / elapsedMs) * 1000,
    p50: percentile(latenciesMs, 50),
    p90: percentile(latenciesMs, 90),
    p99: percentile(latenciesMs, 99),
    failed,
    cpuUs: Object.fromEntries(
      WORKERS.map((worker, index) => [worker, perRequest[index] ?? Number.NaN]),
    ) as Sample['cpuUs'],
  }
}

interface CellGoals {
  ratio?: Goal
  added?: Goal
  tail?: Goal
}

function goalsOf(way: Exclude<Way, 'direct'>, concurrency: number): CellGoals {
  if (concurrency === 1) return { added: GOALS.added[way] }
  return concurrency === 50 ? { tail: TAIL } : { ratio: GOALS.ratio[way] }
}

function compared(row: string, name: string, samples: Sample[], direct: Sample[], goals: CellGoals): Figure[] {
  const of = (read: (sample: Sample) => number, compare: typeof ratio): number[] =>
    perRound(samples.map(read), direct.map(read), compare)
  const goal = (wanted: Goal | undefined) => (wanted === undefined ? {} : { goal: wanted })
  return [
    {
      row,
      name: `${name}: throughput, of direct`,
      unit: '',
      samples: of((s) => s.requestsPerS, ratio),
      ...goal(goals.ratio),
    },
    { row, name: `${name}: added p50`, unit: 'ms', samples: of((s) => s.p50, difference), ...goal(goals.added) },
    { row, name: `${name}: p90 / p50`, unit: '', samples: samples.map((s) => s.p90 / s.p50), ...goal(goals.tail) },
  ]
}

function latencies(row: string, name: string, samples: Sample[]): Figure[] {
  const failed = samples.reduce((sum, sample) => sum + sample.failed, 0)
  return [
    { row, name: `${name}: requests`, unit: '1/s', samples: samples.map((s) => s.requestsPerS) },
    { row, name: `${name}: p50`, unit: 'ms', samples: samples.map((s) => s.p50) },
    { row, name: `${name}: p99`, unit: 'ms', samples: samples.map((s) => s.p99) },
    ...(failed === 0 ? [] : [failedFigure(row, name, failed)]),
  ]
}

function failedFigure(row: string, name: string, failed: number): Figure {
  return { row, name: `${name}: failed`, unit: '', samples: [failed], goal: { atMost: 0 } }
}

/** Where the time goes, which noise disturbs least: beside others a process is slower, but it does no more work. */
function cpu(row: string, name: string, samples: Sample[], way: Way): Figure[] {
  const workers = WORKERS.filter((worker) => way === 'remote' || worker !== 'gateway A')
  return workers.flatMap((worker): Figure[] => {
    const times = samples.map(({ cpuUs }) => cpuUs[worker])
    const client = samples.map(({ cpuUs }) => cpuUs.client)
    const figure: Figure = { row, name: `${name}: CPU a request, ${worker}`, unit: 'µs', samples: times }
    if (!worker.startsWith('gateway')) return [figure]
    return [
      figure,
      { row, name: `${name}: CPU, ${worker}, of client's`, unit: '', samples: perRound(times, client, ratio) },
    ]
  })
}
