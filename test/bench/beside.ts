import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { median } from './statistics.ts'

/** A figure of a bench's results: where it stands in the file, and its value. */
type Figures = Map<string, number>

/** Runs one bench of one checkout in a process of its own and reads the results that it wrote. */
async function measured(checkout: string, bench: string, args: readonly string[]): Promise<Figures> {
  const run = spawn(process.execPath, ['test/bench/run.ts', `--only=${bench}`, ...args], {
    cwd: checkout,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = (await once(run, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`The bench ${bench} of ${checkout} ended with ${code}.`)
  const found: Figures = new Map()
  collect(JSON.parse(readFileSync(join(checkout, 'test/bench/results', `${bench}.json`), 'utf8')), '', found)
  return found
}

/** Takes the numbers out of results; an entry of a list is named by what it calls itself, where it does. */
function collect(value: unknown, path: string, into: Figures): void {
  if (typeof value === 'number' && Number.isFinite(value)) into.set(path, value)
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) {
    if (LEFT_OUT.has(key)) continue
    collect(member, `${path}${path === '' ? '' : ' / '}${labelOf(member) ?? key}`, into)
  }
}

/** What tells of the run, not of the program. */
const LEFT_OUT = new Set(['options', 'machine', 'samples', 'quartiles', 'budget', 'goal', 'idleMs'])

function labelOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { row, name, unit } = value as Record<string, unknown>
  const words = [row, name, unit].filter((word): word is string => typeof word === 'string' && word !== '')
  return words.length === 0 ? undefined : words.join(' ')
}

/**
 * Takes benches of this checkout and of another one in turns, so that both meet the same machine, and prints the medians
 * beside each other with their ratio (this one by the other).
 */
export async function benchBeside(
  other: string,
  options: { benches: readonly string[]; rounds: number; args: readonly string[] },
): Promise<void> {
  const checkouts = [resolve(import.meta.dirname, '../..'), resolve(other)] as const
  for (const bench of options.benches) {
    const samples: [Figures[], Figures[]] = [[], []]
    for (let round = 0; round < options.rounds; round += 1) {
      // Who goes first changes, so that a machine that warms up favours neither.
      for (const side of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        // One run that fails takes none of the others with it.
        const figures = await measured(checkouts[side], bench, options.args).catch((error: unknown) => {
          console.error(error)
        })
        if (figures !== undefined) samples[side].push(figures)
      }
    }
    console.log(`\n${bench}: ${options.rounds} rounds in turns; this checkout, ${other}, ratio`)
    for (const name of samples[0][0]?.keys() ?? []) {
      const [ours, theirs] = samples.map((rounds) => median(rounds.flatMap((figures) => figures.get(name) ?? []))) as [
        number,
        number,
      ]
      if (Number.isNaN(theirs)) continue
      const ratio = theirs === 0 ? '' : (ours / theirs).toFixed(2)
      console.log(`  ${name.padEnd(70)} ${shown(ours)} ${shown(theirs)} ${ratio.padStart(6)}`)
    }
  }
}

const shown = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)).padStart(12)
