import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startBenchWorker, type BenchWorker } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import { median, percentile } from '../statistics.ts'
import type { Work, Worked } from './load.ts'
import { startProbedNode, type LoopDelay, type ProbedNode } from './node.ts'

const RESULTS = resolve(import.meta.dirname, '../results')
/** A page asks for something so often while a person clicks about in it. */
const CALL_EVERY_MS = 20
/** What a page waits for on a click, the cheap one and the dearest. */
const CALLS = [
  { name: 'node.status', input: {} },
  { name: 'traffic.recent', input: { limit: 200 } },
]
const LOADS = [
  { name: 'idle', path: undefined, concurrency: 0 },
  { name: '100 streams', path: '/v1/stream', concurrency: 100 },
  { name: 'echo, 4 at a time', path: '/v1/echo', concurrency: 4 },
  { name: 'echo, 50 at a time', path: '/v1/echo', concurrency: 50 },
]

interface Row {
  load: string
  delay: LoopDelay[]
  /** Milliseconds of every call, per round. */
  calls: number[][]
  perSecond: number[]
  failed: number
}

/** Whether a window would stutter: the event loop of the process that holds the node, and the calls a page waits for. */
export async function benchDesktop(options: BenchOptions): Promise<void> {
  const server = await startBenchWorker(join(import.meta.dirname, 'model-server.ts'))
  const { port } = server.first as { port: number }
  const shared = ['POST /v1/echo', 'POST /v1/stream'].flatMap((path) => ['--service.shared-path', path])
  const open = ['--limits.concurrent', '1000', '--limits.queue', '1000', '--demo-model', 'off']
  const node = await startProbedNode([...open, '--service.name', 'llm', '--service.port', String(port), ...shared])
  const client = await startBenchWorker(join(import.meta.dirname, 'load.ts'))
  try {
    await untilServed(node)
    const rows = LOADS.map(({ name }): Row => ({ load: name, delay: [], calls: [], perSecond: [], failed: 0 }))
    await measure({ node, client }, LOADS[3]!, options.cellMs) // warm-up, not counted
    for (let round = 0; round < options.rounds; round += 1) {
      for (const [index, load] of LOADS.entries()) {
        const { delay, callsMs, worked } = await measure({ node, client }, load, options.cellMs)
        const row = rows[index]!
        row.delay.push(delay)
        row.calls.push(callsMs)
        row.perSecond.push((worked.answered / worked.elapsedMs) * 1000)
        row.failed += worked.failed
      }
    }
    print(rows, options)
    await mkdir(RESULTS, { recursive: true })
    const file = join(RESULTS, 'desktop.json')
    const machine = { node: process.version, cores: cpus().length, loadAverage: loadavg() }
    await writeFile(file, `${JSON.stringify({ options, ...machine, rows }, null, 2)}\n`)
    console.log(`\nWritten to ${file}`)
  } finally {
    await client.stop()
    await node.stop()
    await server.stop()
  }
}

async function measure(
  { node, client }: { node: ProbedNode; client: BenchWorker },
  load: (typeof LOADS)[number],
  durationMs: number,
): Promise<{ delay: LoopDelay; callsMs: number[]; worked: Worked }> {
  const working =
    load.path === undefined
      ? pause(durationMs).then((): Worked => ({ answered: 0, failed: 0, elapsedMs: durationMs }))
      : client.ask<Worked>({
          url: `${node.gateway}/v1/service/llm${load.path}`,
          concurrency: load.concurrency,
          durationMs,
        } satisfies Work)
  const callsMs: number[] = []
  await node.begin()
  const until = performance.now() + durationMs
  for (let i = 0; performance.now() < until; i += 1) {
    const { name, input } = CALLS[i % CALLS.length]!
    callsMs.push(await node.timeCall(name, input))
    await pause(CALL_EVERY_MS)
  }
  const delay = await node.end()
  return { delay, callsMs, worked: await working }
}

function print(rows: Row[], options: BenchOptions): void {
  console.log(
    `The process that holds the node under load: ${options.rounds} rounds of ${options.cellMs} ms a cell, medians over ` +
      `rounds (max: of all); node, load, server and caller in processes of their own on ${cpus().length} cores, ` +
      `load average ${loadavg()[0]?.toFixed(1)}, Node ${process.version}.\n`,
  )
  console.log(
    'load                 req/s  failed   loop late ms: p50    p99    max   own work ms: p50   p99    max   call ms: p50    p99    max',
  )
  for (const row of rows) {
    const of = (pick: (delay: LoopDelay) => number): string => median(row.delay.map(pick)).toFixed(1)
    const calls = (p: number): string => median(row.calls.map((round) => percentile(round, p))).toFixed(1)
    const columns = [
      row.load.padEnd(19),
      median(row.perSecond).toFixed(0).padStart(6),
      String(row.failed).padStart(7),
      of(({ late }) => late.p50).padStart(20),
      of(({ late }) => late.p99).padStart(6),
      Math.max(...row.delay.map(({ late }) => late.max))
        .toFixed(1)
        .padStart(6),
      of(({ work }) => work.p50).padStart(18),
      of(({ work }) => work.p99).padStart(5),
      Math.max(...row.delay.map(({ work }) => work.max))
        .toFixed(1)
        .padStart(6),
      calls(50).padStart(14),
      calls(99).padStart(6),
      Math.max(...row.calls.flat())
        .toFixed(1)
        .padStart(6),
    ]
    console.log(columns.join(' '))
  }
}

async function untilServed({ gateway }: ProbedNode): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const response = await fetch(`${gateway}/v1/models`)
    if ((await response.text()).includes('"echo"')) return
    await pause(50)
  }
  throw new Error('the node did not find its server in 10 s')
}
