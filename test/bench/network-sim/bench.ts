import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startBenchWorker } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import type { ScenarioFigures } from './run-scenario.ts'

/** A scenario by name, on so many nodes. */
export interface SimulationQuestion {
  scenario: string
  nodes: number
  seed: number
}

const RESULTS = resolve(import.meta.dirname, '../results/network-sim.json')
/** Where an observer's table, or a long warm-up, takes more than Node's default. */
const HEAP = '--max-old-space-size=15000'

/**
 * A network of `--nodes` (1,000) in virtual time, in a process of its own. `--scenario` says what happens in it (quiet);
 * several, with commas between, one after the other. `--json` is where figures are added to those of other runs.
 */
export async function benchNetworkSim(options: BenchOptions): Promise<void> {
  const file = options.json === undefined ? RESULTS : resolve(options.json)
  for (const nodes of options.simulated) {
    for (const scenario of options.scenarios) {
      const question: SimulationQuestion = { scenario, nodes, seed: options.seed }
      const startedAt = performance.now()
      const worker = await startBenchWorker(fileURLToPath(new URL('worker.ts', import.meta.url)), {
        ...{ args: [JSON.stringify(question)], hooks: true, execArgv: [HEAP] },
      })
      try {
        const figures = worker.first as ScenarioFigures
        console.log(`${scenario}, ${String(nodes)} nodes: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
        console.log(JSON.stringify(figures, undefined, 1))
        await keep(file, figures)
      } finally {
        await worker.stop()
      }
    }
  }
}

/** Adds figures to a file, in the place of older ones of the same scenario and size. */
async function keep(file: string, figures: ScenarioFigures): Promise<void> {
  const isOther = ({ scenario, nodes }: ScenarioFigures): boolean =>
    scenario !== figures.scenario || nodes !== figures.nodes
  const others = readFigures(file).filter(isOther)
  const all = [...others, figures].sort((a, b) => a.scenario.localeCompare(b.scenario) || a.nodes - b.nodes)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify(all, undefined, 2)}\n`)
}

/** The figures in a file; none where there is no such file. */
export function readFigures(file: string): ScenarioFigures[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ScenarioFigures[]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
