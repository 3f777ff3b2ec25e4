import { mkdir, writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import type { BenchOptions } from '../run.ts'
import { percentile } from '../statistics.ts'
import { startChild, type Child } from './child.ts'

/** The anchors of the design's budget table. */
const BUDGET = {
  idleBytesPerS: new Map([
    [10, 400],
    [25, 600],
    [50, 800],
  ]),
  goIdleBytesPerS: new Map([
    [10, 1123],
    [25, 4130],
    [50, 7943],
  ]),
  registrationBytes: 20_000,
  visibleP50Ms: 30,
  visibleP99Ms: 100,
}

const BUDGET_AS_JSON = {
  ...BUDGET,
  idleBytesPerS: Object.fromEntries(BUDGET.idleBytesPerS),
  goIdleBytesPerS: Object.fromEntries(BUDGET.goIdleBytesPerS),
}

const PROCESSES = 4
/** How long DHT tables may take to fill and provider records to go out, before the nodes count as idle. */
const SETTLE_WITHIN_MS = 30_000
const WRITES = 20
/** A write that some node has not seen by then counts as not seen. */
const SEEN_WITHIN_MS = 3_000
/** Gossip goes on telling of a message for some heartbeats; that belongs to its cost. */
const TAIL_MS = 6_000
/** From then on no further network is started, so that the whole bench ends within about eight minutes. */
const LAST_START_MS = 5 * 60_000

/** Lookups of a node beside those for its provider records: for itself, and one for each distance of its table. */
const SELF_LOOKUPS_PER_HOUR = 3
const TABLE_REFRESHES_PER_HOUR = 1
/** A node that offers that much publishes that many records every twelve hours. */
const ENTRIES_PER_NODE = 15

interface RowFigures {
  rows: number
  envelopeBytes: number
  rowsPerS: number
  /** Processor time to take them in. */
  ingestCpuMs: number
  heapMiB: number
  bufferMiB: number
  documentBytes: number
  stateBytes: number
  diskBytes: number
  folder: string
}

async function inChild<T>(question: object): Promise<T> {
  const child = startChild('rows-worker.ts')
  try {
    return await child.ask<T>(question)
  } finally {
    await child.stop()
  }
}

/** So many rows come in, are written to disk, and are read back by another process. */
export async function benchRows(rows: number): Promise<object> {
  const { folder, ...figures } = await inChild<RowFigures>({ ingest: rows })
  const loaded = await inChild<{ loadMs: number; loadCpuMs: number; loaded: number }>({ load: folder, rows })
  const all = { ...figures, ...loaded }
  console.log(
    `${load()} ${rows} rows of ${all.envelopeBytes} B: ${all.rowsPerS} rows/s in (${all.ingestCpuMs.toFixed(0)} ms of processor), heap ${all.heapMiB.toFixed(1)} MiB, buffers ${all.bufferMiB.toFixed(1)} MiB, document ` +
      `${kb(all.documentBytes)}, state vector ${kb(all.stateBytes)}, disk ${kb(all.diskBytes)}, load ${all.loadMs.toFixed(0)} ms (${all.loadCpuMs.toFixed(0)} ms of processor)`,
  )
  return all
}

interface Day {
  day: number
  rows: number
  documentBytes: number
  stateBytes: number
  diskBytes: number
}

async function benchChurn(): Promise<object> {
  const churn = await inChild<{ born: number; perDay: Day[] }>({ churnDays: 30, peers: 1000 })
  console.log(`${load()} 30 days of churn, 1000 peers at a time, ${churn.born} in all:`)
  for (const { day, rows, documentBytes, stateBytes, diskBytes } of churn.perDay) {
    if (![2, 5, 10, 20, 30].includes(day)) continue
    console.log(
      `  day ${day}: ${rows} rows, documents ${kb(documentBytes)}, state vector ${kb(stateBytes)}, disk ${kb(diskBytes)}`,
    )
  }
  return churn
}

type Counts = Map<string, number>

async function total(children: readonly Child[]): Promise<Counts> {
  const sum: Counts = new Map()
  for (const child of children) {
    const { bytes } = await child.ask<{ bytes: [string, number][] }>({ bytes: true })
    for (const [protocol, count] of bytes) sum.set(protocol, (sum.get(protocol) ?? 0) + count)
  }
  return sum
}

/** Bytes of the protocols that match. */
function bytesOf(counts: Counts, protocols: RegExp): number {
  return [...counts].filter(([name]) => protocols.test(name)).reduce((sum, [, count]) => sum + count, 0)
}

const ROW_CARRIERS = /^\/(meshsub|ocf\/table-sync)\//
const DHT = /\/kad\//
/** Everything on streams; the wire is counted beside it. */
const STREAMS = /^\//

async function until(isTrue: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs
  while (performance.now() < end) {
    if (await isTrue()) return true
    await pause(200)
  }
  return false
}

/** A network of whole nodes in several processes, each dialled by some others, whose DHT tables have filled. */
async function startNetwork(count: number, children: readonly Child[], shares: readonly number[]): Promise<void> {
  const started = await Promise.all(
    children.map((child, index) => child.ask<{ addresses: string[] }>({ start: shares[index] })),
  )
  const addresses = started.flatMap((each) => each.addresses)
  let position = 0
  const dials = shares.map((share) =>
    Array.from({ length: share }, () => {
      const own = position++
      return [1, 2, 5].map((step) => addresses[(own + step) % count] ?? '')
    }),
  )
  for (const [index, child] of children.entries()) await child.ask({ dial: dials[index] })
  const enough = Math.min(count - 1, 20)
  const isFull = async (): Promise<boolean> => {
    const answers = await Promise.all(children.map((child) => child.ask<{ peers: number[] }>({ dhtPeers: true })))
    return answers.every(({ peers }) => peers.every((each) => each >= enough))
  }
  await until(isFull, SETTLE_WITHIN_MS)
}

/** Each node publishes one model; resolves with the DHT's bytes of that when everybody has every row. */
async function publishFirst(count: number, children: readonly Child[], shares: readonly number[]): Promise<number> {
  const before = bytesOf(await total(children), DHT)
  for (const [index, child] of children.entries()) {
    for (let node = 0; node < (shares[index] ?? 0); node += 1) {
      await child.ask({ publish: { node, models: [`first-${String(index)}-${String(node)}`] } })
    }
  }
  const haveAll = async (): Promise<boolean> => {
    const answers = await Promise.all(children.map((child) => child.ask<{ sizes: number[] }>({ sizes: true })))
    return answers.every(({ sizes }) => sizes.every((each) => each === count))
  }
  if (!(await until(haveAll, 120_000))) throw new Error(`not every table came to ${String(count)} rows`)
  let last = before
  const isQuiet = async (): Promise<boolean> => {
    await pause(3_000)
    const now = bytesOf(await total(children), DHT)
    const isStill = now > before && now - last < 1000
    last = now
    return isStill
  }
  await until(isQuiet, SETTLE_WITHIN_MS)
  await pause(TAIL_MS)
  return bytesOf(await total(children), DHT) - before
}

interface Writes {
  bytes: number
  /** Bytes of one write by what carried them. */
  parts: Record<string, number>
  /** The slowest table of each write, in ms. */
  slowestMs: number[]
  seconds: number
  table: number[]
  http: number[]
}

/** Rows of about 715 bytes. */
const modelsOf = (name: string): string[] => [
  name,
  ...Array.from({ length: ENTRIES_PER_NODE - 1 }, (_, index) => `organisation/some-model-${String(index)}`),
]

/** One write after the other, each by another process; how long until every node's table and its HTTP answer had it. */
async function write(count: number, children: readonly Child[]): Promise<Writes> {
  const startedAt = performance.now()
  const before = await total(children)
  const delays = { table: [] as number[], http: [] as number[], slowestMs: [] as number[] }
  for (let number = 0; number < WRITES; number += 1) {
    const model = `write-${String(number)}`
    const owner = children[number % children.length]
    if (owner === undefined) break
    const { atMs } = await owner.ask<{ atMs: number }>({ publish: { node: 0, models: modelsOf(model) } })
    let answers: { table: number[]; http: number[] }[] = []
    const isSeen = async (): Promise<boolean> => {
      answers = await Promise.all(children.map((child) => child.ask<(typeof answers)[0]>({ seen: model })))
      return answers.reduce((sum, { http }) => sum + http.length, 0) === count
    }
    await until(isSeen, SEEN_WITHIN_MS)
    delays.slowestMs.push(Math.round(Math.max(...answers.flatMap(({ table }) => table)) - atMs))
    for (const answer of answers) {
      delays.table.push(...answer.table.map((time) => time - atMs))
      delays.http.push(...answer.http.map((time) => time - atMs))
    }
  }
  await pause(TAIL_MS)
  const after = await total(children)
  const names = [...after.keys()].filter((name) => ROW_CARRIERS.test(name))
  const sent = names.map((name) => [name, (after.get(name) ?? 0) - (before.get(name) ?? 0)] as const)
  return {
    ...delays,
    bytes: sent.reduce((sum, [, bytes]) => sum + bytes, 0),
    parts: Object.fromEntries(sent.map(([name, bytes]) => [name, Math.round(bytes / WRITES)])),
    seconds: (performance.now() - startedAt) / 1000,
  }
}

/**
 * Whole nodes that idle, then write. What an idle node sends more rarely than the window is long is measured by itself
 * and added: renewals of rows, and the DHT's lookups.
 */
export async function benchNodes(count: number, idleMs: number): Promise<object> {
  const children = Array.from({ length: Math.min(PROCESSES, count) }, () => startChild('nodes-worker.ts'))
  try {
    const shares = children.map((_, index) => Math.floor((count + index) / children.length))
    await startNetwork(count, children, shares)
    const lookupBytes = (await publishFirst(count, children, shares)) / count

    const before = await total(children)
    await pause(idleMs)
    const after = await total(children)
    const rateOf = (protocols: RegExp): number =>
      (bytesOf(after, protocols) - bytesOf(before, protocols)) / (idleMs / 1000)
    const perProtocol = [...after.keys()]
      .map((protocol): [string, number] => [
        protocol,
        ((after.get(protocol) ?? 0) - (before.get(protocol) ?? 0)) / count / (idleMs / 1000),
      ])
      .filter(([, rate]) => rate > 0)
      .sort(([, a], [, b]) => b - a)
    const writes = await write(count, children)
    const registration = (writes.bytes - rateOf(ROW_CARRIERS) * writes.seconds) / WRITES

    const lookupsPerS =
      (SELF_LOOKUPS_PER_HOUR + TABLE_REFRESHES_PER_HOUR * (Math.log2(count) + 1) + ENTRIES_PER_NODE / 12) / 3600
    const window = rateOf(STREAMS) / count
    const renewals = registration / renewEveryS(count)
    const dht = lookupBytes * lookupsPerS
    const percentiles = (times: readonly number[]): object => ({
      p50Ms: percentile(times, 50),
      p99Ms: percentile(times, 99),
      seen: times.length,
      expected: WRITES * count,
    })
    const figures = {
      nodes: count,
      loadAverage: loadavg(),
      idleBytesPerS: window + renewals + dht,
      parts: { window, renewals, dht },
      wireBytesPerSInWindow: rateOf(/^wire$/) / count,
      perProtocol: Object.fromEntries(perProtocol),
      dhtLookupBytes: lookupBytes,
      registrationBytes: registration,
      registrationParts: writes.parts,
      slowestMs: writes.slowestMs,
      visible: percentiles(writes.table),
      visibleByHttp: percentiles(writes.http),
    }
    report(count, children.length, figures, { table: writes.table, http: writes.http })
    for (const [protocol, rate] of perProtocol) console.log(`  in the window: ${protocol} ${rate.toFixed(1)} B/s`)
    return figures
  } finally {
    await Promise.all(children.map((child) => child.stop()))
  }
}

function report(
  count: number,
  processes: number,
  figures: {
    idleBytesPerS: number
    parts: Record<string, number>
    dhtLookupBytes: number
    registrationBytes: number
    registrationParts: Record<string, number>
  },
  times: { table: number[]; http: number[] },
): void {
  const { idleBytesPerS, parts, dhtLookupBytes, registrationBytes, registrationParts } = figures
  const of = (list: number[]): string =>
    `p50 ${percentile(list, 50).toFixed(0)} ms, p99 ${percentile(list, 99).toFixed(0)} ms ` +
    `(${String(list.length)} of ${String(WRITES * count)})`
  const split = Object.entries(parts).map(([name, rate]) => `${name} ${rate.toFixed(0)}`)
  console.log(
    [
      `${load()} ${String(count)} nodes in ${String(processes)} processes`,
      `  idle ${idleBytesPerS.toFixed(0)} B/s a node (${split.join(', ')}); budget ` +
        `${String(BUDGET.idleBytesPerS.get(count) ?? '-')}, Go ${String(BUDGET.goIdleBytesPerS.get(count) ?? '-')}`,
      `  one lookup of the DHT ${kb(dhtLookupBytes)} over the mesh`,
      `  one registration ${kb(registrationBytes)} over the mesh; budget ${kb(BUDGET.registrationBytes)} at 10 (${Object.entries(
        registrationParts,
      )
        .map(([name, bytes]) => `${name} ${kb(bytes)}`)
        .join(', ')})`,
      `  visible in every table: ${of(times.table)}; budget ${String(BUDGET.visibleP50Ms)} / ${String(BUDGET.visibleP99Ms)}`,
      `  in every /v1/dnt/table: ${of(times.http)}`,
    ].join('\n'),
  )
}

/** What else the machine does: figures in ms mean little where it is high. */
const load = (): string => `[load ${loadavg()[0]?.toFixed(1) ?? '?'}]`

/** Seconds between two renewals of a node in a table of that many rows: 45 % of the lease, at 1 KB/s of background. */
function renewEveryS(rows: number): number {
  return 0.45 * Math.max(600, (2 * rows * 1100 * 7) / 1024)
}

const kb = (bytes: number): string => `${(bytes / 1000).toFixed(1)} KB`

/** Rows, a month of churn, and whole nodes on this machine; `--cell-ms` is how long they idle, at least half a minute. */
export async function benchTable(options: BenchOptions): Promise<void> {
  const startedAt = performance.now()
  const idleMs = Math.max(30_000, options.cellMs)
  const results = { rows: [] as object[], churn: {}, nodes: [] as object[], idleMs, budget: BUDGET_AS_JSON }
  const folder = new URL('../results/', import.meta.url)
  const save = async (): Promise<void> => {
    await mkdir(folder, { recursive: true })
    await writeFile(new URL('table.json', folder), `${JSON.stringify(results, undefined, 2)}\n`)
  }
  for (const rows of [1000, 10_000]) results.rows.push(await benchRows(rows))
  results.churn = await benchChurn()
  await save()
  for (const count of [10, 25, 50]) {
    if (performance.now() - startedAt > LAST_START_MS) {
      console.log(`${load()} ${String(count)} nodes: left out, as the machine was too busy to come to them in time`)
      results.nodes.push({ nodes: count, leftOut: true })
    } else results.nodes.push(await benchNodes(count, idleMs))
    await save()
  }
}
