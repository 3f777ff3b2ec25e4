import { parseArgs } from 'node:util'
import { benchGateway } from './gateway/bench.ts'

/** Benches by name; each prints its table and writes its JSON under test/bench/results. */
const BENCHES = { gateway: benchGateway } satisfies Record<string, (options: BenchOptions) => Promise<void>>

/** What every bench may be asked for. */
export interface BenchOptions {
  /** Alternating rounds; the medians over them are reported. */
  rounds: number
  /** Milliseconds of one cell of one round. */
  cellMs: number
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    'cell-ms': { type: 'string', default: '2000' },
  },
})

const names = values.only === undefined ? Object.keys(BENCHES) : values.only.split(',')
const unknown = names.filter((name) => !(name in BENCHES))
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are: ${Object.keys(BENCHES).join(', ')}.`)
  process.exit(2)
}
const options = { rounds: Number(values.rounds), cellMs: Number(values['cell-ms']) }
for (const name of names) await BENCHES[name as keyof typeof BENCHES](options)
