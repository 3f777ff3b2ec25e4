import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startBenchWorker, type BenchNode } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import { growthOf, isFlat, MEASURES, type Growth, type Measure, type Sample, type VitalSigns } from './growth.ts'
import { startSoakNetwork, type SoakNetwork } from './network.ts'
import { keepAsking, type RequestCounts } from './requests.ts'
import { problemsOfTables } from './tables.ts'

const RESULTS = resolve(import.meta.dirname, '../results')
/** Of deaths and requests before each sample. */
const CHURN_MS = 30_000
/** The share of the run whose samples do not count: what is compiled, cached and learnt once grows until then. */
const WARM_UP = 1 / 6
const REQUEST_EVERY_MS = 500
/** Connections that stay the same for so long have come to rest: a QUIC one to a killed peer is dropped after 15 s. */
const REST_MS = 3_000
const SETTLE_LIMIT_MS = 30_000
const TABLE_LIMIT_MS = 60_000

/** Whole nodes of which some die and come back: the others may not grow, and the table has to be right at the end. */
export async function benchSoak(options: BenchOptions): Promise<void> {
  const { minutes, nodes, survivors, churnMs, seed } = options
  const server = await startBenchWorker(join(import.meta.dirname, '../gateway/model-server.ts'))
  const modelServerPort = (server.first as { port: number }).port
  const counts: RequestCounts = { answered: 0, failed: 0 }
  try {
    const network = await startSoakNetwork({ survivors, mortals: nodes - survivors, churnMs, seed, modelServerPort })
    try {
      const samples = await watch(network, counts, minutes)
      const tables = await problemsOfTables(network.nodes(), TABLE_LIMIT_MS)
      await report(options, samples, counts, tables)
    } finally {
      await network.stop()
    }
  } finally {
    await server.stop()
  }
}

/** Churn and requests, and a sample after each part of it, when everything has come to rest. */
async function watch(network: SoakNetwork, counts: RequestCounts, minutes: number): Promise<Sample[]> {
  const samples: Sample[] = []
  const startedAt = performance.now()
  const gateways = network.survivors.map(({ gateway }) => gateway)
  do {
    const part = new AbortController()
    const working = Promise.all([
      network.churn(part.signal),
      keepAsking(gateways, counts, { everyMs: REQUEST_EVERY_MS, signal: part.signal }),
    ])
    try {
      await Promise.race([working, pause(CHURN_MS)])
    } finally {
      part.abort()
    }
    await working
    const isSettled = await untilSettled(network.survivors)
    const signs = await Promise.all(network.survivors.map((node) => node.ask<VitalSigns>({ ask: 'vitalSigns' })))
    const atS = (performance.now() - startedAt) / 1000
    samples.push({ atS, deaths: network.deaths, isSettled, survivors: signs })
    console.log(progressOf(atS, network.deaths, isSettled, signs))
  } while (performance.now() - startedAt < minutes * 60_000)
  return samples
}

function progressOf(atS: number, deaths: number, isSettled: boolean, signs: readonly VitalSigns[]): string {
  const all = (read: (sign: VitalSigns) => number): string => signs.map((sign) => read(sign).toFixed(0)).join(' ')
  return (
    `${atS.toFixed(0).padStart(5)} s  ${String(deaths).padStart(4)} deaths  RSS ${all(({ rssMiB }) => rssMiB)}  ` +
    `heap ${all(({ heapMiB }) => heapMiB)}  handles ${all(({ handles }) => handles)}  ` +
    `timers ${all(({ timers }) => timers)}  connections ${all(({ connections }) => connections)}` +
    (isSettled ? '' : '  (connections still moved)')
  )
}

/** False when connections were still moving after {@link SETTLE_LIMIT_MS}. */
async function untilSettled(survivors: readonly BenchNode[]): Promise<boolean> {
  const startedAt = performance.now()
  let sameSince = startedAt
  let before = ''
  while (performance.now() - startedAt < SETTLE_LIMIT_MS) {
    const connections = await Promise.all(survivors.map((node) => node.ask<string[]>({ ask: 'connections' })))
    const now = JSON.stringify(connections.map((ids) => ids.toSorted()))
    if (now !== before) sameSince = performance.now()
    if (performance.now() - sameSince >= REST_MS) return true
    before = now
    await pause(250)
  }
  return false
}

async function report(
  { minutes, nodes, survivors, churnMs, seed }: BenchOptions,
  samples: readonly Sample[],
  requests: RequestCounts,
  tables: readonly string[],
): Promise<void> {
  const counted = samples.filter(({ atS, isSettled }) => isSettled && atS > WARM_UP * minutes * 60)
  const seconds = (counted.at(-1)?.atS ?? 0) - (counted[0]?.atS ?? 0)
  const measures = (Object.keys(MEASURES) as Measure[]).map((measure) => {
    const growths = Array.from({ length: survivors }, (_, index) => growthOf(counted, index, measure))
    return { measure, growths, flat: growths.every((growth) => isFlat(growth, measure)) }
  })
  console.log(
    `\nSoak: ${nodes} nodes for ${minutes} min, ${samples.at(-1)?.deaths ?? 0} killed and started again, ` +
      `${requests.answered} requests answered and ${requests.failed} not. What ${survivors} that lived on held more ` +
      `in the last third of ${seconds.toFixed(0)} s than in the first, and by the trend over all of it:\n`,
  )
  for (const { measure, growths, flat } of measures) {
    console.log(`${flat ? 'flat   ' : 'FAILED '} ${MEASURES[measure].name.padEnd(13)} ${growths.map(show).join('   ')}`)
  }
  console.log(tables.length === 0 ? 'right   table' : `FAILED  table: ${tables.join('; ')}`)
  const passed = measures.every(({ flat }) => flat) && tables.length === 0
  await mkdir(RESULTS, { recursive: true })
  await writeFile(
    join(RESULTS, 'soak.json'),
    `${JSON.stringify({ passed, minutes, nodes, churnMs, seed, requests, measures, tables, samples }, null, 2)}\n`,
  )
  console.log(passed ? '\nFlat, and the table is right.' : '\nFAILED')
  if (!passed) process.exitCode = 1
}

function show({ from, to, grown, trend }: Growth): string {
  const percent = (share: number): string => `${share < 0 ? '' : '+'}${(share * 100).toFixed(1)}`
  return `${from.toFixed(1)} → ${to.toFixed(1)} (${percent(grown)} %, ${percent(trend)} %)`
}
