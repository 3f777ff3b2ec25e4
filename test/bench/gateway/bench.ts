import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import type { BenchOptions } from '../run.ts'
import { summed, type SummedFigure } from './figures.ts'
import { printFigures, printHeading, printVerdict } from './print-figures.ts'
import { downloadRow } from './rows/download.ts'
import { echoRow } from './rows/echo.ts'
import { ciphersRow, freshRow, warmRow } from './rows/fresh.ts'
import { heldStreamsRow } from './rows/held-streams.ts'
import type { Bench, Row } from './rows/row.ts'
import { scriptRow } from './rows/script.ts'
import { streamBytesRow } from './rows/stream-bytes.ts'
import { tokensRow } from './rows/tokens.ts'
import { otherWayRow } from './rows/transports.ts'
import { nodeOptionsOf, startEnds, startNodePair, TRANSPORTS, type Transport } from './topology.ts'

const RESULTS = resolve(import.meta.dirname, '../results')

/** Rows by name, in the order they are taken: those that fill the memory come after those that watch it. */
const ROWS: Record<string, Row> = {
  echo: (bench) => echoRow(bench),
  script: scriptRow,
  sse: (bench) => tokensRow(bench),
  bytes: streamBytesRow,
  streams: heldStreamsRow,
  download: (bench) => downloadRow(bench),
  ws: otherWayRow('ws', 'ws', 'default'),
  quic: otherWayRow('quic', 'quic', 'default'),
  wasm: otherWayRow('wasm', 'tcp', 'wasm'),
  fresh: freshRow,
  warm: warmRow,
  ciphers: ciphersRow,
}

/**
 * The gateway: the same requests straight to a model server, through its own node's gateway (local) and through another
 * node's (remote). Client, nodes and server are processes of their own; rounds alternate, and figures of one round are
 * compared with each other before a median is taken.
 */
export async function benchGateway(options: BenchOptions): Promise<void> {
  const rows = options.rows ?? Object.keys(ROWS)
  const { transport, cipher } = waysOf(options, rows)
  const machine = { cores: cpus().length, cpu: cpus()[0]?.model ?? '', node: process.version, loadBefore: loadavg() }
  const startedAt = performance.now()
  const ends = await startEnds()
  const figures: SummedFigure[] = []
  printHeading()
  try {
    for (const row of rows) {
      // Each row has nodes of its own: what one leaves behind in memory or pools is not the next one's.
      const pair = await startNodePair(ends, nodeOptionsOf({ transport, cipher, options }))
      const bench: Bench = { ends, pair, transport, cipher, options }
      try {
        const measured = (await (ROWS[row] as Row)(bench)).map(summed)
        printFigures(measured)
        figures.push(...measured)
      } finally {
        await pair.stop()
      }
    }
  } finally {
    await ends.stop()
  }
  const loadAfter = loadavg()
  console.log(
    `\nThe gateway over ${transport}${cipher === 'wasm' ? ' with the WASM cipher' : ''}: ${options.rounds} alternating ` +
      `rounds, cells of ${options.cellMs} ms, ${((performance.now() - startedAt) / 1000).toFixed(0)} s.\n` +
      `${machine.cores} × ${machine.cpu}, Node ${machine.node}, load ${shownLoad(machine.loadBefore)} before, ` +
      `${shownLoad(loadAfter)} after.`,
  )
  printVerdict(figures)
  await mkdir(RESULTS, { recursive: true })
  const file = join(RESULTS, 'gateway.json')
  await writeFile(file, `${JSON.stringify({ options, machine: { ...machine, loadAfter }, figures }, null, 2)}\n`)
  console.log(`\nWritten to ${file}`)
}

/** @throws Error for a row, transport or cipher there is not */
function waysOf(options: BenchOptions, rows: readonly string[]): { transport: Transport; cipher: 'default' | 'wasm' } {
  const check = <T extends string>(kind: string, name: string, known: readonly T[]): T => {
    const found = known.find((other) => other === name)
    if (found === undefined) throw new Error(`There is no ${kind} ${name}. There are: ${known.join(', ')}.`)
    return found
  }
  for (const row of rows) check('row', row, Object.keys(ROWS))
  return {
    transport: check('transport', options.transport, TRANSPORTS),
    cipher: check('cipher', options.cipher, ['default', 'wasm']),
  }
}

const shownLoad = (load: readonly number[]): string => (load[0] ?? Number.NaN).toFixed(1)
