import { POLICIES } from './policies.ts'
import { runScenario, type Outcome } from './run-scenario.ts'
import { SCENARIOS } from './scenarios.ts'

/** One line of the result. */
export interface RoutingResult {
  scenario: string
  policy: string
  outcome: Outcome
}

const SEEDS = 3

async function runAll(seed: number): Promise<RoutingResult[]> {
  const seeds = Array.from({ length: SEEDS }, (_, index) => seed + index)
  const results: RoutingResult[] = []
  for (const scenario of SCENARIOS) {
    for (const [policy, create] of Object.entries(POLICIES)) {
      results.push({ scenario: scenario.name, policy, outcome: await runScenario(scenario, create, seeds) })
    }
  }
  return results
}

process.on('message', ({ seed }: { seed: number }) => {
  runAll(seed).then(
    (results) => process.send?.({ results }),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
process.send?.('ready')
// Nobody is left to ask.
process.on('disconnect', () => process.exit())
