import type { ProviderSpec } from './provider.ts'
import { createRandom } from './random.ts'

/** A network, what is asked of it, and what happens to it. */
export interface Scenario {
  name: string
  durationMs: number
  gateways: number
  providers: ProviderSpec[]
  load: {
    requestsPerS: number
    /** Mean turns of a conversation; 1 is requests that have nothing to do with each other. */
    turns: number
    promptTokens: number
    answerTokens: number
    /** For a while, so many times as many as between. */
    bursts?: { everyMs: number; lastMs: number; times: number }
  }
  events?: { atMs: number; provider: number; what: 'crash' | 'vanish' | 'return' | { slower: number } }[]
}

const MINUTE = 60_000
/** As the settings have them. */
const QUEUE = { queue: 16, queueTimeMs: 10_000 }
const MIDDLING: ProviderSpec = { slots: 4, ...QUEUE, readMsPerThousand: 400, tokenMs: 20, rttMs: 40 }

/** From a laptop on a mobile network to a server with a big card; drawn once, the same in every scenario. */
export function heterogeneous(count: number, seed = 42): ProviderSpec[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, index) => {
    const speed = [4, 2, 1, 1, 0.5, 0.5, 0.25, 0.25][index % 8] ?? 1
    return {
      slots: speed >= 2 ? 8 : speed >= 1 ? 4 : 2,
      ...QUEUE,
      readMsPerThousand: 400 / speed,
      tokenMs: 20 / speed ** 0.5,
      rttMs: 5 + 150 * random() ** 2,
    }
  })
}

const CHAT = { turns: 4, promptTokens: 600, answerTokens: 120 }
const base = { durationMs: 5 * MINUTE, gateways: 1 }

export const SCENARIOS: Scenario[] = [
  {
    ...{ name: 'homogeneous', ...base, providers: Array.from({ length: 8 }, () => MIDDLING) },
    load: { ...CHAT, requestsPerS: 6 },
  },
  { name: 'heterogeneous', ...base, providers: heterogeneous(8), load: { ...CHAT, requestsPerS: 7 } },
  {
    ...{ name: 'long prompts', ...base, providers: heterogeneous(8) },
    load: { turns: 8, promptTokens: 6000, answerTokens: 80, requestsPerS: 3 },
  },
  {
    ...{ name: 'bursts', ...base, providers: heterogeneous(8) },
    load: { ...CHAT, turns: 1, requestsPerS: 5, bursts: { everyMs: 30_000, lastMs: 4_000, times: 6 } },
  },
  {
    ...{ name: 'one crashes', ...base, providers: heterogeneous(8), load: { ...CHAT, requestsPerS: 5 } },
    events: [
      { atMs: MINUTE, provider: 1, what: 'crash' },
      { atMs: 3 * MINUTE, provider: 1, what: 'return' },
    ],
  },
  {
    ...{ name: 'one vanishes', ...base, providers: heterogeneous(8), load: { ...CHAT, requestsPerS: 5 } },
    events: [
      { atMs: MINUTE, provider: 1, what: 'vanish' },
      { atMs: 3 * MINUTE, provider: 1, what: 'return' },
    ],
  },
  {
    ...{ name: 'one turns slow', ...base, providers: heterogeneous(8), load: { ...CHAT, requestsPerS: 5 } },
    events: [
      { atMs: MINUTE, provider: 0, what: { slower: 12 } },
      { atMs: 3 * MINUTE, provider: 0, what: { slower: 1 } },
    ],
  },
  {
    ...{ name: '24 gateways', durationMs: 5 * MINUTE, gateways: 24, providers: heterogeneous(24) },
    load: { ...CHAT, requestsPerS: 20 },
  },
  {
    ...{ name: '24 gateways, full', durationMs: 5 * MINUTE, gateways: 24, providers: heterogeneous(24) },
    load: { ...CHAT, requestsPerS: 32 },
  },
]
