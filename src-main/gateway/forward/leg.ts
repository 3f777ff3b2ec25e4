import type { TrafficLeg } from '#shared/contract/traffic.js'
import type { Provider } from '../routing/choose-providers.js'
import type { TryResult } from './relay-upgraded.js'

const OUTCOMES = {
  relayed: 'answered',
  refused: 'refused',
  failed: 'failed',
  cut: 'broke-off',
  'client-gone': 'client-gone',
} as const satisfies Record<TryResult['kind'], TrafficLeg['outcome']>

/** A try as the traffic feed keeps it. `startMs` counts from the request's arrival. */
export function legOf(provider: Provider, result: TryResult, startMs: number, durationMs: number): TrafficLeg {
  const timing = 'timing' in result ? result.timing : undefined
  return {
    peer: provider.kind === 'peer' ? provider.peerId : null,
    outcome: OUTCOMES[result.kind],
    reason: reasonOf(result),
    startMs: rounded(startMs),
    durationMs: rounded(durationMs),
    connectMs: timing === undefined ? null : rounded(timing.connectMs),
    ttfbMs: timing === undefined ? null : rounded(timing.ttfbMs),
  }
}

function reasonOf(result: TryResult): string | null {
  if ('reason' in result) return result.reason
  return result.kind === 'refused' ? `answered ${result.status}` : null
}

/** Tenths of a millisecond. */
const rounded = (ms: number): number => Math.round(ms * 10) / 10
