import type { ModelFacts } from '../../../src-shared/model-facts.js'
import { percentile } from '../statistics.ts'
import { createOwnPolicy } from './own-policy.ts'
import { createProvider } from './provider.ts'
import { createRandom } from './random.ts'
import { heterogeneous } from './scenarios.ts'
import { createSimulation } from './simulation.ts'
import type { SimRequest } from './workload.ts'

/** What one choice costs. */
export interface ChoiceCost {
  candidates: number
  promptKib: number
  /** Microseconds of the clock, the median of many. */
  microseconds: number
  /** Microseconds of a processor, the median and the least of some rounds of many: others' work makes each slower. */
  cpuMicroseconds: number
  leastCpuMicroseconds: number
}

const CANDIDATES = 64
const CONTEXT_TOKENS = 131_072
const ROUNDS = 100
const CHOICES = 200
/** Until all have told how busy they are. */
const TOLD_WITHIN_MS = 1_000
const TOKENS_PER_KIB = 256

/** Chooses among as many as are compared, all of them measured and holding a part of the prompt. */
export async function choiceCost(promptKib: number): Promise<ChoiceCost> {
  const sim = createSimulation()
  const providers = new Map(
    heterogeneous(CANDIDATES).map((spec, index) => [`peer-${index}`, createProvider(sim, `peer-${index}`, spec)]),
  )
  // Each tells what its model is, and takes the request.
  const told = new Map<string, ModelFacts>(
    [...providers.keys()].map((peerId) => [
      peerId,
      { kind: 'chat', capabilities: ['tools'], contextTokens: CONTEXT_TOKENS },
    ]),
  )
  const facts = (peerId: string): ModelFacts | undefined => told.get(peerId)
  const policy = createOwnPolicy({ sim, providers, random: createRandom(1), facts })
  const request: SimRequest = {
    ...{ atMs: 0, gateway: 0, conversation: 'one', contextTokens: promptKib * TOKENS_PER_KIB },
    ...{ knownTokens: 0, answerTokens: 100 },
  }
  for (const peerId of providers.keys()) {
    const report = policy.begin(peerId, request)
    report.firstByte(200)
    report.end('answered')
  }
  // Each has told its load: that is asked for in the background of a choice.
  await policy.choose(request)
  await sim.run(TOLD_WITHIN_MS)
  // Hashed once: the cost of that grows with the prompt, not with the candidates.
  const took: number[] = []
  const tookCpu: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.threadCpuUsage()
    for (let count = 0; count < CHOICES; count += 1) {
      const beganAt = performance.now()
      const chosen = policy.choose(request)
      took.push((performance.now() - beganAt) * 1_000)
      await chosen
    }
    const { user, system } = process.threadCpuUsage(before)
    tookCpu.push((user + system) / CHOICES)
  }
  return {
    ...{ candidates: CANDIDATES, promptKib, microseconds: percentile(took, 50) },
    ...{ cpuMicroseconds: percentile(tookCpu, 50), leastCpuMicroseconds: Math.min(...tookCpu) },
  }
}
