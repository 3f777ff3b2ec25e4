import { mkdir, writeFile } from 'node:fs/promises'
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

const PROCESSES = 4
const SETTLE_MS = 10_000
const WRITES = 20
const AFTER_WRITE_MS = 1_500

interface RowFigures {
  rows: number
  envelopeBytes: number
  rowsPerS: number
  heapMiB: number
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

async function benchRows(rows: number): Promise<object> {
  const { folder, ...figures } = await inChild<RowFigures>({ ingest: rows })
  const loaded = await inChild<{ loadMs: number; loaded: number }>({ load: folder, rows })
  const all = { ...figures, ...loaded }
  console.log(
    `${rows} rows of ${all.envelopeBytes} B: ${all.rowsPerS} rows/s in, heap ${all.heapMiB.toFixed(1)} MiB, document ` +
      `${kb(all.documentBytes)}, state vector ${kb(all.stateBytes)}, disk ${kb(all.diskBytes)}, load ${all.loadMs.toFixed(0)} ms`,
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
  console.log(`30 days of churn, 1000 peers at a time, ${churn.born} in all:`)
  for (const { day, rows, documentBytes, stateBytes, diskBytes } of churn.perDay) {
    if (![2, 5, 10, 20, 30].includes(day)) continue
    console.log(
      `  day ${day}: ${rows} rows, documents ${kb(documentBytes)}, state vector ${kb(stateBytes)}, disk ${kb(diskBytes)}`,
    )
  }
  return churn
}

async function total(children: readonly Child[]): Promise<Map<string, number>> {
  const sum = new Map<string, number>()
  for (const child of children) {
    const { bytes } = await child.ask<{ bytes: [string, number][] }>({ bytes: true })
    for (const [protocol, count] of bytes) sum.set(protocol, (sum.get(protocol) ?? 0) + count)
  }
  return sum
}

/** Bytes of what carries rows. */
function rowBytes(counts: Map<string, number>): number {
  const carriers = [...counts].filter(([protocol]) => /^\/(meshsub|ocf\/table-sync)\//.test(protocol))
  return carriers.reduce((sum, [, count]) => sum + count, 0)
}

async function untilAllHave(children: readonly Child[], size: number): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const answers = await Promise.all(children.map((child) => child.ask<{ sizes: number[] }>({ sizes: true })))
    if (answers.every(({ sizes }) => sizes.every((each) => each === size))) return
    await pause(200)
  }
  throw new Error(`not every table came to ${size} rows`)
}

/** Rows of about 715 bytes. */
const modelsOf = (name: string): string[] => [
  name,
  ...Array.from({ length: 14 }, (_, index) => `organisation/some-model-${index}`),
]

/** Whole nodes that idle, then write. Renewals come on top of what they send while they idle: see `renewalBytesPerS`. */
export async function benchNodes(count: number, idleMs: number): Promise<object> {
  const children = Array.from({ length: Math.min(PROCESSES, count) }, () => startChild('nodes-worker.ts'))
  try {
    const shares = children.map((_, index) => Math.floor((count + index) / children.length))
    const started = await Promise.all(
      children.map((child, index) => child.ask<{ addresses: string[] }>({ start: shares[index] })),
    )
    const addresses = started.flatMap((each) => each.addresses)
    let position = 0
    for (const [index, child] of children.entries()) {
      const dial = Array.from({ length: shares[index] ?? 0 }, () => {
        const own = position++
        return [1, 2, 5].map((step) => addresses[(own + step) % count] ?? '')
      })
      await child.ask({ dial })
    }
    for (const [index, child] of children.entries()) {
      for (let node = 0; node < (shares[index] ?? 0); node += 1) {
        await child.ask({ publish: { node, models: modelsOf(`first-${index}-${node}`) } })
      }
    }
    await untilAllHave(children, count)
    await pause(SETTLE_MS)

    const before = await total(children)
    await pause(idleMs)
    const after = await total(children)
    const perProtocol = [...after]
      .map(([protocol, bytes]): [string, number] => [
        protocol,
        (bytes - (before.get(protocol) ?? 0)) / count / (idleMs / 1000),
      ])
      .filter(([, rate]) => rate > 0)
      .sort(([, a], [, b]) => b - a)
    const idleRows = (rowBytes(after) - rowBytes(before)) / (idleMs / 1000)
    const idle = perProtocol.reduce((sum, [, rate]) => sum + rate, 0)

    const delays: number[] = []
    let registration = 0
    for (let write = 0; write < WRITES; write += 1) {
      const model = `write-${write}`
      const owner = children[write % children.length]!
      const from = rowBytes(await total(children))
      const startedAt = performance.now()
      const { atMs } = await owner.ask<{ atMs: number }>({ publish: { node: 0, models: modelsOf(model) } })
      await pause(AFTER_WRITE_MS)
      const elapsedS = (performance.now() - startedAt) / 1000
      registration += (rowBytes(await total(children)) - from - idleRows * elapsedS) / WRITES
      for (const child of children) {
        const { times } = await child.ask<{ times: number[] }>({ seen: model })
        delays.push(...times.map((time) => time - atMs))
      }
    }
    const expected = WRITES * count
    const figures = {
      nodes: count,
      idleBytesPerS: idle,
      perProtocol: Object.fromEntries(perProtocol),
      registrationBytes: registration,
      renewalBytesPerS: registration / renewEveryS(count),
      visible: { p50Ms: percentile(delays, 50), p99Ms: percentile(delays, 99), seen: delays.length, expected },
    }
    console.log(
      `${count} nodes in ${children.length} processes: idle ${idle.toFixed(0)} B/s a node, sent and received alike ` +
        `(budget ${BUDGET.idleBytesPerS.get(count) ?? '-'}, Go ${BUDGET.goIdleBytesPerS.get(count) ?? '-'}); renewals ${figures.renewalBytesPerS.toFixed(0)} B/s more; one registration ` +
        `${kb(registration)} over the mesh (budget ${kb(BUDGET.registrationBytes)} at 10); visible in p50 ` +
        `${figures.visible.p50Ms.toFixed(0)} ms, p99 ${figures.visible.p99Ms.toFixed(0)} ms (budget ${BUDGET.visibleP50Ms} / ` +
        `${BUDGET.visibleP99Ms}), ${delays.length} of ${expected} seen`,
    )
    for (const [protocol, rate] of perProtocol) console.log(`  ${protocol}: ${rate.toFixed(1)} B/s`)
    return figures
  } finally {
    await Promise.all(children.map((child) => child.stop()))
  }
}

/** Seconds between two renewals of a node in a table of that many rows: 45 % of the lease, at 1 KB/s of background. */
function renewEveryS(rows: number): number {
  return 0.45 * Math.max(600, (2 * rows * 1100 * 7) / 1024)
}

const kb = (bytes: number): string => `${(bytes / 1000).toFixed(1)} KB`

/** Rows, a month of churn, and whole nodes on this machine; `--cell-ms` is how long they idle, at least half a minute. */
export async function benchTable(options: BenchOptions): Promise<void> {
  const idleMs = Math.max(30_000, options.cellMs)
  const results = {
    rows: [await benchRows(1000), await benchRows(10_000)],
    churn: await benchChurn(),
    nodes: [] as object[],
    idleMs,
  }
  for (const count of [10, 25, 50]) results.nodes.push(await benchNodes(count, idleMs))
  const folder = new URL('../results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  await writeFile(new URL('table.json', folder), `${JSON.stringify(results, undefined, 2)}\n`)
}
