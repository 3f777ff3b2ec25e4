import type { ModelFacts } from '../../../src-shared/model-facts.js'
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
  /** Microseconds, the median of many. */
  microseconds: number
}

const CANDIDATES = 64
const CONTEXT_TOKENS = 131_072
const ROUNDS = 4_000
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
  const took: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    // Hashed once: the cost of that grows with the prompt, not with the candidates.
    const beganAt = performance.now()
    const chosen = policy.choose(request)
    took.push((performance.now() - beganAt) * 1_000)
    await chosen
  }
  took.sort((a, b) => a - b)
  return { candidates: CANDIDATES, promptKib, microseconds: took[took.length >> 1] ?? Number.NaN }
}
