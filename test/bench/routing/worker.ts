import { choiceCost, type ChoiceCost } from './choice-cost.ts'
import { POLICIES } from './policies.ts'
import { runScenario, type Outcome } from './run-scenario.ts'
import { sampled } from './sampled/policy.ts'
import { SCENARIOS } from './scenarios.ts'
import { runTrace, type TraceOptions } from './trace/run-trace.ts'

/** One line of the result. */
export interface RoutingResult {
  scenario: string
  policy: string
  outcome: Outcome
}

const SEEDS = 3

/** The router as it was, of more and more candidates drawn, beside what all runs are compared with. */
const SCENARIO_POLICIES = { 'd = 2': sampled(2), 'd = 4': sampled(4), 'd = 8': sampled(8), ...POLICIES }

/** Prompts, in KiB, that the cost of a choice is measured with. */
const PROMPTS_KIB = [1, 48]

async function runScenarios(seed: number): Promise<{ results: RoutingResult[]; costs: ChoiceCost[] }> {
  const costs: ChoiceCost[] = []
  for (const kib of PROMPTS_KIB) costs.push(await choiceCost(kib))
  const seeds = Array.from({ length: SEEDS }, (_, index) => seed + index)
  const results: RoutingResult[] = []
  for (const scenario of SCENARIOS) {
    for (const [policy, create] of Object.entries(SCENARIO_POLICIES)) {
      results.push({ scenario: scenario.name, policy, outcome: await runScenario(scenario, create, seeds) })
    }
  }
  return { results, costs }
}

process.on('message', ({ seed, trace }: { seed: number; trace?: TraceOptions }) => {
  const work = trace === undefined ? runScenarios(seed) : runTrace(trace).then((rows) => ({ rows }))
  work.then(
    (done) => process.send?.(done),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
process.send?.('ready')
// Nobody is left to ask.
process.on('disconnect', () => process.exit())
