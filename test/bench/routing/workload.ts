import { createRandom, exponential } from './random.ts'
import type { Scenario } from './scenarios.ts'

/** One turn of a conversation, asked of one gateway. */
export interface SimRequest {
  atMs: number
  gateway: number
  conversation: string
  /** Tokens the model has to read, and how many of them were there at the turn before. */
  contextTokens: number
  knownTokens: number
  answerTokens: number
  /** Of a request from a trace: its prompt, block by block. */
  blocks?: readonly number[]
}

const THINKING_MS = 15_000
const MAX_TURNS = 12

/** Conversations that begin by chance; the same for every policy. */
export function workloadOf(scenario: Scenario, seed: number): SimRequest[] {
  const random = createRandom(seed)
  const requests: SimRequest[] = []
  const { turns, requestsPerS, bursts } = scenario.load
  let number = 0
  // Drawn at the highest rate and thinned out where it is lower: a Poisson process with a changing rate.
  const peak = bursts === undefined ? 1 : bursts.times
  const meanRate = bursts === undefined ? 1 : 1 + ((bursts.times - 1) * bursts.lastMs) / bursts.everyMs
  const conversationsPerMs = requestsPerS / meanRate / turns / 1000
  for (let atMs = 0; ;) {
    atMs += exponential(random, 1 / (conversationsPerMs * peak))
    if (atMs >= scenario.durationMs) break
    const inBurst = bursts !== undefined && atMs % bursts.everyMs < bursts.lastMs
    if (!inBurst && random() >= 1 / peak) continue
    number += 1
    requests.push(...conversation(random, scenario, { atMs, name: `${seed}-${number}` }))
  }
  return requests.sort((a, b) => a.atMs - b.atMs)
}

function conversation(
  random: () => number,
  { gateways, load, durationMs }: Scenario,
  { atMs, name }: { atMs: number; name: string },
): SimRequest[] {
  const gateway = Math.floor(random() * gateways)
  const turns = load.turns === 1 ? 1 : Math.min(MAX_TURNS, 1 + Math.round(exponential(random, load.turns - 1)))
  const list: SimRequest[] = []
  let when = atMs
  let known = 0
  let context = 100 + exponential(random, load.promptTokens)
  for (let turn = 0; turn < turns && when < durationMs; turn += 1) {
    const answerTokens = 10 + exponential(random, load.answerTokens)
    list.push({ atMs: when, gateway, conversation: name, contextTokens: context, knownTokens: known, answerTokens })
    known = context
    context += answerTokens + 50 + exponential(random, 100)
    when += 2_000 + exponential(random, THINKING_MS)
  }
  return list
}
