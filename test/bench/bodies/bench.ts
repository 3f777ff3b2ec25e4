import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type BenchNode, startBenchNode, startBenchWorker } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import type { BodyRow } from './worker.ts'

const RESULTS = resolve(import.meta.dirname, '../results')
const SENDER = resolve(import.meta.dirname, '../../fixtures/large-body-sender.ts')
const BODY_MIB = 60
const PROBE_EVERY_MS = 100

/** The longest that a health probe took while a body of 60 MiB came in, in ms. */
interface ProbeRow {
  row: string
  status: number
  longestMs: number
}

/** Sends the body and asks the node for its health meanwhile. */
async function probed(row: string, node: BenchNode, url: string, ...args: string[]): Promise<ProbeRow> {
  const sender = spawn(process.execPath, [SENDER, url, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  sender.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const closed = once(sender, 'close')
  let longestMs = 0
  while (sender.exitCode === null && sender.signalCode === null) {
    const askedAt = performance.now()
    await (await fetch(`${node.gateway}/v1/health`)).arrayBuffer()
    longestMs = Math.max(longestMs, performance.now() - askedAt)
    await pause(PROBE_EVERY_MS)
  }
  await closed
  return { row, status: (JSON.parse(text) as { status: number }).status, longestMs }
}

async function probeNodes(): Promise<ProbeRow[]> {
  const server = await startBenchWorker(join(import.meta.dirname, '../desktop/model-server.ts'))
  const { port } = server.first as { port: number }
  const quiet = ['--demo-model', 'off', '--limits.max-body', '64MiB']
  const a = await startBenchNode(quiet)
  const b = await startBenchNode([
    ...[...quiet, '--bootstrap.sources', `${a.gateway}/v1/dnt/bootstraps`],
    ...['--service.name', 'llm', '--service.port', String(port)],
  ])
  try {
    const path = '/v1/chat/completions'
    const through = `${a.gateway}/v1/p2p/${b.peerId}/v1/_service/llm${path}`
    const page = ['origin=https://page.example', 'content-type=text/plain']
    const mib = String(BODY_MIB)
    return [
      await probed('peer, millions of values', b, through, 'values', mib, 'yes'),
      await probed('peer, long text', b, through, 'text', mib, 'yes'),
      await probed('page, millions of values', a, `${a.gateway}${path}`, 'values', mib, 'no', ...page),
      await probed('page, long text', a, `${a.gateway}${path}`, 'text', mib, 'no', ...page),
    ]
  } finally {
    await Promise.all([a.stop(), b.stop(), server.stop()])
  }
}

/** What finding the model in a request's body costs: our scanner beside JSON.parse, and who waits meanwhile. */
export async function benchBodies(options: BenchOptions): Promise<void> {
  const worker = await startBenchWorker(join(import.meta.dirname, 'worker.ts'), {
    args: [String(options.rounds), String(options.cellMs)],
    hooks: true,
  })
  const rows = worker.first as BodyRow[]
  await worker.stop()
  console.table(
    Object.fromEntries(
      rows.map(({ row, scanUs, parseUs, ratio }) => [
        row,
        { 'scan µs': scanUs.toFixed(1), 'JSON.parse µs': parseUs.toFixed(1), ratio: ratio.toFixed(2) },
      ]),
    ),
  )
  const probes = await probeNodes()
  console.log(`\nThe longest health probe (one each ${PROBE_EVERY_MS} ms) while a body of ${BODY_MIB} MiB came in:`)
  console.table(
    Object.fromEntries(
      probes.map(({ row, status, longestMs }) => [row, { status, 'longest ms': longestMs.toFixed(0) }]),
    ),
  )
  await mkdir(RESULTS, { recursive: true })
  await writeFile(join(RESULTS, 'bodies.json'), `${JSON.stringify({ rows, probes }, null, 2)}\n`)
}
