import type { SimulationQuestion } from './bench.js'
import { runScenario } from './run-scenario.js'

const figures = await runScenario(JSON.parse(process.argv[2] ?? '{}') as SimulationQuestion)
process.send?.(figures)
