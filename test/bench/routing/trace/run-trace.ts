import { percentile } from '../../statistics.ts'
import type { ProviderSpec } from '../provider.ts'
import { emptyTally, runOnce } from '../run-scenario.ts'
import { heterogeneous } from '../scenarios.ts'
import { CACHE_BLOCKS, TRACE_POLICIES } from './rivals.ts'
import { readTrace } from './trace-file.ts'

/** What a replay is asked for. */
export interface TraceOptions {
  file: string
  minutes: number
  gateways: number[]
  seed: number
  /** Only these, where given. */
  policies?: string[]
  /** Who is there; the usual sixteen unless given. */
  providers?: ProviderSpec[]
}

/** One policy at one number of gateways. */
export interface TraceRow {
  gateways: number
  policy: string
  /** Time to first token of what was answered. */
  p50Ms: number
  p95Ms: number
  p99Ms: number
  /** To the end of the answer. */
  endToEndP50Ms: number
  endToEndP95Ms: number
  requests: number
  errors: number
  retries: number
  /** Of these, second attempts because the first was late. */
  seconds: number
  /** Share of all prompt tokens that providers need not read. */
  cacheHits: number
  /** Jain's index of the conversations' mean times to first token: 1 where all wait alike. */
  fairness: number
}

const PROVIDERS = 16

/** Replays a trace with every policy at every number of gateways. */
export async function runTrace(options: TraceOptions): Promise<TraceRow[]> {
  const rows: TraceRow[] = []
  const chosen = options.policies ?? Object.keys(TRACE_POLICIES)
  const providers =
    options.providers ??
    heterogeneous(PROVIDERS, 41 + options.seed).map((spec) => ({ ...spec, cacheBlocks: CACHE_BLOCKS }))
  for (const gateways of options.gateways) {
    const requests = readTrace(options.file, { ...options, gateways })
    const network = { gateways, providers, durationMs: options.minutes * 60_000 }
    for (const name of chosen) {
      const policy = TRACE_POLICIES[name]
      if (policy === undefined) continue
      const tally = emptyTally()
      await runOnce(network, requests, { policy, seed: options.seed, tally })
      rows.push({
        ...{ gateways, policy: name },
        p50Ms: percentile(tally.ttftMs, 50),
        p95Ms: percentile(tally.ttftMs, 95),
        p99Ms: percentile(tally.ttftMs, 99),
        endToEndP50Ms: percentile(tally.endToEndMs, 50),
        endToEndP95Ms: percentile(tally.endToEndMs, 95),
        requests: tally.requests,
        errors: tally.errors,
        retries: tally.retries,
        seconds: tally.seconds,
        cacheHits: tally.knownTokens / Math.max(1, tally.readTokens + tally.knownTokens),
        fairness: jain([...tally.byConversation.values()].map((list) => list.reduce((a, b) => a + b, 0) / list.length)),
      })
    }
  }
  return rows
}

function jain(values: readonly number[]): number {
  const sum = values.reduce((a, b) => a + b, 0)
  const squares = values.reduce((a, b) => a + b * b, 0)
  return squares === 0 ? 1 : sum ** 2 / (values.length * squares)
}
