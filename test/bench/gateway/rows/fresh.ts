import { setTimeout as pause } from 'node:timers/promises'
import { startBenchWorker } from '../../processes.ts'
import { percentile } from '../../statistics.ts'
import type { Figure, Goal } from '../figures.ts'
import type { DownloadResult } from '../load/download.ts'
import type { LoadResult } from '../load/echo.ts'
import type { TokenStreamsResult } from '../load/token-streams.ts'
import { BARE_PROXY, nodeOptionsOf, startNodePair, type NodePair } from '../topology.ts'
import { costOf } from './cost.ts'
import type { Bench, Row } from './row.ts'

const STREAMS = 100
const TOKENS = 200
const EVERY_MS = 5
const BYTES = 100 * 1024 * 1024
/** A few requests of one person, right behind each other. */
const ONE_BY_ONE = 300
const SLOW_REQUESTS = 10
/** How many times the p50 the p99 of many requests at a time may be. */
const MOST_P99: Goal = { atMost: 6 }

/** What a cell of one round came to: a figure by its name. */
type Sample = Record<string, Pick<Figure, 'unit' | 'goal'> & { value: number }>
/** Measures one thing through nodes that have just started, or after all that is said in `warmUp`. */
type Cell = (pair: NodePair, bench: Bench, way: Ways) => Promise<Sample>
interface Ways {
  /** The URL of a path through the nodes, or through a bare proxy. */
  url: (path: string) => string
  /** Processes whose CPU time counts. */
  pids: readonly number[]
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** One request after the other: what a person's node does. */
const oneByOne: Cell = async (_pair, { ends }, { url, pids }) => {
  const { result, cpuMs } = await costOf(pids, () =>
    ends.client.load<LoadResult>({ kind: 'echo', url: url('/v1/echo'), concurrency: 1, requests: ONE_BY_ONE }),
  )
  return {
    ...failures(result.failed),
    [`${ONE_BY_ONE} one by one: p50`]: { value: percentile(result.latenciesMs, 50), unit: 'ms' },
    [`${ONE_BY_ONE} one by one: CPU a request`]: { value: (sum(cpuMs) * 1000) / ONE_BY_ONE, unit: 'µs' },
  }
}

const onceASecond: Cell = async (_pair, { ends }, { url, pids }) => {
  const latencies: number[] = []
  const { cpuMs } = await costOf(pids, async () => {
    for (let at = 0; at < SLOW_REQUESTS; at += 1) {
      const load = { kind: 'echo', url: url('/v1/echo'), concurrency: 1, requests: 1 } as const
      const { latenciesMs } = await ends.client.load<LoadResult>(load)
      latencies.push(...latenciesMs)
      await pause(1_000)
    }
  })
  return {
    ...failures(SLOW_REQUESTS - latencies.length),
    'one a second: p50': { value: percentile(latencies, 50), unit: 'ms' },
    'one a second: CPU a second': { value: sum(cpuMs) / SLOW_REQUESTS, unit: 'ms' },
  }
}

const manyAtOnce =
  (concurrency: number): Cell =>
  async (_pair, { ends, options }, { url, pids }) => {
    const { result, cpuMs } = await costOf(pids, () =>
      ends.client.load<LoadResult>({ kind: 'echo', url: url('/v1/echo'), concurrency, durationMs: options.cellMs }),
    )
    const count = result.latenciesMs.length
    return {
      ...failures(result.failed),
      [`${concurrency} at a time: requests`]: { value: (count / result.elapsedMs) * 1000, unit: '1/s' },
      [`${concurrency} at a time: p50`]: { value: percentile(result.latenciesMs, 50), unit: 'ms' },
      [`${concurrency} at a time: p99`]: { value: percentile(result.latenciesMs, 99), unit: 'ms' },
      [`${concurrency} at a time: p99 / p50`]: {
        value: percentile(result.latenciesMs, 99) / percentile(result.latenciesMs, 50),
        unit: '',
        goal: MOST_P99,
      },
      [`${concurrency} at a time: CPU a request`]: { value: (sum(cpuMs) * 1000) / count, unit: 'µs' },
    }
  }

const tokens =
  (streams: number, everyMs: number): Cell =>
  async (pair, { ends }, { url, pids }) => {
    const load = { kind: 'tokens', streams, tokens: TOKENS, everyMs } as const
    const direct = await ends.client.load<TokenStreamsResult>({
      ...load,
      url: pair.url('direct', '/v1/chat/completions'),
    })
    const { result, cpuMs } = await costOf(pids, () =>
      ends.client.load<TokenStreamsResult>({ ...load, url: url('/v1/chat/completions') }),
    )
    const added = (p: number): number => percentile(result.delaysMs, p) - percentile(direct.delaysMs, p)
    const name = `${streams} × ${TOKENS} tokens, ${1000 / everyMs}/s`
    return {
      ...failures(result.failed),
      [`${name}: added p50 a token`]: { value: added(50), unit: 'ms' },
      [`${name}: added p99 a token`]: { value: added(99), unit: 'ms' },
      [`${name}: first token, p50`]: { value: percentile(result.firstsMs, 50) - everyMs, unit: 'ms' },
      ...costs(name, cpuMs),
    }
  }

const download: Cell = async (_pair, { ends }, { url, pids }) => {
  const { result, cpuMs } = await costOf(pids, () =>
    ends.client.load<DownloadResult>({ kind: 'download', url: url('/v1/bytes'), bytes: BYTES }),
  )
  return {
    '100 MiB': { value: result.mebibytesPerSecond, unit: 'MiB/s' },
    ...costs('100 MiB', cpuMs),
  }
}

function costs(name: string, cpuMs: readonly number[]): Sample {
  return {
    [`${name}: CPU`]: { value: sum(cpuMs), unit: 'ms' },
    ...(cpuMs.length < 2
      ? {}
      : {
          [`${name}: CPU, asking node`]: { value: cpuMs[0] ?? Number.NaN, unit: 'ms' },
          [`${name}: CPU, serving node`]: { value: cpuMs[1] ?? Number.NaN, unit: 'ms' },
        }),
  }
}

const failures = (failed: number): Sample => (failed === 0 ? {} : { failed: { value: failed, unit: '' } })

const CELLS: Readonly<Record<string, Cell>> = {
  one: oneByOne,
  tokens: tokens(STREAMS, EVERY_MS),
  '256': manyAtOnce(256),
  '512': manyAtOnce(512),
  download: download,
}
/** These take seconds each, and what they measure does not get warm: only where the nodes are new. */
const FRESH_CELLS: Readonly<Record<string, Cell>> = {
  ...CELLS,
  slow: onceASecond,
  'slow-tokens': tokens(STREAMS, 50),
}

/** Those that were asked for; all of them where none was. */
const chosen = (cells: Readonly<Record<string, Cell>>, names: readonly string[] | undefined): Cell[] =>
  Object.entries(cells).flatMap(([name, cell]) => (names === undefined || names.includes(name) ? [cell] : []))

/** Nodes and a bare proxy that have just started, new ones for each cell of each round. */
export const freshRow: Row = async (bench) => {
  const samples: Sample[] = []
  for (let round = 0; round < bench.options.rounds; round += 1) {
    const sample: Sample = {}
    for (const cell of chosen(FRESH_CELLS, bench.options.cells)) {
      const pair = await startNodePair(bench.ends, nodeOptionsOf(bench))
      try {
        Object.assign(sample, await throughNodesAndProxy(cell, pair, bench))
      } finally {
        await pair.stop()
      }
    }
    samples.push(sample)
  }
  return figures('fresh', samples)
}

/** Rounds that do not count: what they take is mostly compiling. */
const WARM_UPS = 3

/** The same through nodes that have done all of it a few times. */
export const warmRow: Row = async (bench) => {
  const samples: Sample[] = []
  for (let round = 0; round < bench.options.rounds + WARM_UPS; round += 1) {
    const sample: Sample = {}
    for (const cell of chosen(CELLS, bench.options.cells))
      Object.assign(sample, await throughNodesAndProxy(cell, bench.pair, bench))
    if (round >= WARM_UPS) samples.push(sample)
  }
  return figures('warm', samples)
}

/** Two pairs of warm nodes in turns: with TLS between them, and with noise and the cipher it takes inside Electron. */
export const ciphersRow: Row = async (bench) => {
  const withWasm = await startNodePair(bench.ends, nodeOptionsOf({ ...bench, cipher: 'wasm' }))
  const pairs = { TLS: bench.pair, WASM: withWasm }
  const samples: Sample[] = []
  try {
    for (let round = 0; round < bench.options.rounds + WARM_UPS; round += 1) {
      const sample: Sample = {}
      for (const [cipher, pair] of Object.entries(pairs)) {
        for (const cell of chosen(CELLS, bench.options.cells)) {
          for (const [name, value] of Object.entries(await throughNodes(cell, pair, bench)))
            sample[`${cipher}: ${name}`] = value
        }
      }
      if (round >= WARM_UPS) samples.push(sample)
    }
  } finally {
    await withWasm.stop()
  }
  return figures('ciphers', samples)
}

const throughNodes = (cell: Cell, pair: NodePair, bench: Bench): Promise<Sample> =>
  cell(pair, bench, { url: (path) => pair.url('remote', path), pids: [pair.a.pid, pair.b.pid] })

/** CPU time travels between machines as a multiple of what the bare proxy takes for the same. */
async function throughNodesAndProxy(cell: Cell, pair: NodePair, bench: Bench): Promise<Sample> {
  const bare = await startBenchWorker(BARE_PROXY, { args: [pair.url('direct', '')] })
  const { port, pid } = bare.first as { port: number; pid: number }
  try {
    const remote = await throughNodes(cell, pair, bench)
    const proxied = await cell(pair, bench, { url: (path) => `http://127.0.0.1:${port}${path}`, pids: [pid] })
    const ratios: Sample = {}
    for (const [name, { value }] of Object.entries(remote)) {
      const other = proxied[name]
      if (other !== undefined && name.includes('CPU') && other.value > 0)
        ratios[`${name}, of a bare proxy's`] = { value: value / other.value, unit: '' }
    }
    return { ...remote, ...ratios }
  } finally {
    await bare.stop()
  }
}

function figures(row: string, samples: readonly Sample[]): Figure[] {
  const names = new Set(samples.flatMap((sample) => Object.keys(sample)))
  return [...names].map((name) => {
    const { unit, goal } = samples.find((sample) => name in sample)?.[name] ?? { unit: '' as const }
    const values = samples.flatMap((sample) => sample[name]?.value ?? [])
    return { row, name, unit, samples: values, ...(goal === undefined ? {} : { goal }) }
  })
}
