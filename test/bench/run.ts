import { parseArgs } from 'node:util'
import { benchBeside } from './beside.ts'
import { benchBodies } from './bodies/bench.ts'
import { benchDesktop } from './desktop/bench.ts'
import { benchEncryption } from './encryption/bench.ts'
import { benchGateway } from './gateway/bench.ts'
import { benchLargest } from './largest/bench.ts'
import { benchNetwork } from './network/bench.ts'
import { benchNetworkSim } from './network-sim/bench.ts'
import { benchRouting } from './routing/bench.ts'
import { benchScale } from './scale/bench.ts'
import { benchSoak } from './soak/bench.ts'
import { benchTable } from './table/bench.ts'

/** Benches by name; each prints its table and writes its JSON under test/bench/results. */
const BENCHES = {
  bodies: benchBodies,
  desktop: benchDesktop,
  encryption: benchEncryption,
  gateway: benchGateway,
  largest: benchLargest,
  network: benchNetwork,
  'network-sim': benchNetworkSim,
  routing: benchRouting,
  scale: benchScale,
  soak: benchSoak,
  table: benchTable,
} satisfies Record<string, (options: BenchOptions) => Promise<void>>

/** What every bench may be asked for. */
export interface BenchOptions {
  /** Alternating rounds; the medians over them are reported. */
  rounds: number
  /** Milliseconds of one cell of one round. */
  cellMs: number
  /** Minutes the soak lasts, how many nodes it has, and how many of them are never killed. */
  minutes: number
  nodes: number
  survivors: number
  /** Rows of the gateway's bench to take; all when undefined. */
  rows: string[] | undefined
  /** Of the rows `fresh` and `warm`, these cells only. */
  cells: string[] | undefined
  /** A folder for CPU profiles of the gateway bench's nodes, one of each when it ends. */
  profile: string | undefined
  /** What the two nodes of the gateway's bench connect by. */
  transport: string
  /** `wasm` is what Electron's main process gets. */
  cipher: string
  /** Milliseconds that many streams are held open together. */
  holdMs: number
  /** The seed of what is drawn at random. */
  seed: number
  /** A trace to replay on simulated providers, and of it so many minutes, at so many gateways. */
  trace: string | undefined
  traceMinutes: number
  gateways: number[]
  /** Light peers of the scale bench. */
  peers: number
  /** Sizes of simulated networks, and what happens in them. */
  simulated: number[]
  scenarios: string[]
  /** Where the rows of the trace, or the figures of simulated networks, are written, as JSON. */
  json: string | undefined
  /** Milliseconds after which, on average, another node of the soak dies and comes back. */
  churnMs: number
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    // Another checkout, built: its figures are taken in turns with these.
    beside: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    'cell-ms': { type: 'string', default: '1000' },
    minutes: { type: 'string' },
    nodes: { type: 'string' },
    scenario: { type: 'string', default: 'quiet' },
    survivors: { type: 'string', default: '4' },
    rows: { type: 'string' },
    cells: { type: 'string' },
    profile: { type: 'string' },
    transport: { type: 'string', default: 'tcp' },
    cipher: { type: 'string', default: 'default' },
    'hold-s': { type: 'string' },
    full: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    trace: { type: 'string' },
    gateways: { type: 'string', default: '1,8,24' },
    json: { type: 'string' },
    'churn-ms': { type: 'string', default: '3000' },
  },
})

const names =
  values.only === undefined ? Object.keys(BENCHES).filter((name) => name !== 'soak') : values.only.split(',')
const unknown = names.filter((name) => !(name in BENCHES))
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are: ${Object.keys(BENCHES).join(', ')}.`)
  process.exit(2)
}
const options = {
  rounds: Number(values.rounds),
  cellMs: Number(values['cell-ms']),
  minutes: Number(values.minutes ?? 10),
  trace: values.trace,
  traceMinutes: Number(values.minutes ?? 20),
  gateways: values.gateways.split(',').map(Number),
  json: values.json,
  nodes: Number(values.nodes ?? 20),
  peers: Number(values.nodes ?? 1_000),
  simulated: (values.nodes ?? '1000').split(',').map(Number),
  scenarios: values.scenario.split(','),
  survivors: Number(values.survivors),
  rows: values.rows?.split(','),
  cells: values.cells?.split(','),
  profile: values.profile,
  transport: values.transport,
  cipher: values.cipher,
  holdMs: Number(values['hold-s'] ?? (values.full ? 60 : 20)) * 1000,
  seed: Number(values.seed),
  churnMs: Number(values['churn-ms']),
}
if (values.beside === undefined) {
  for (const name of names) await BENCHES[name as keyof typeof BENCHES](options)
} else {
  const passedOn = ['rows', 'cells', 'cell-ms', 'hold-s', 'transport', 'cipher', 'seed'] as const
  const args = passedOn.flatMap((name) => (values[name] === undefined ? [] : [`--${name}=${values[name]}`]))
  await benchBeside(values.beside, { benches: names, rounds: options.rounds, args: ['--rounds=1', ...args] })
}
