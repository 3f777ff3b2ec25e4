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

async function runAll(seed: number): Promise<RoutingResult[]> {
  const seeds = Array.from({ length: SEEDS }, (_, index) => seed + index)
  const results: RoutingResult[] = []
  for (const scenario of SCENARIOS) {
    for (const [policy, create] of Object.entries(SCENARIO_POLICIES)) {
      results.push({ scenario: scenario.name, policy, outcome: await runScenario(scenario, create, seeds) })
    }
  }
  return results
}

process.on('message', ({ seed, trace }: { seed: number; trace?: TraceOptions }) => {
  const work =
    trace === undefined ? runAll(seed).then((results) => ({ results })) : runTrace(trace).then((rows) => ({ rows }))
  work.then(
    (done) => process.send?.(done),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
process.send?.('ready')
// Nobody is left to ask.
process.on('disconnect', () => process.exit())
