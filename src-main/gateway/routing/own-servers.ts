import { within } from '../../base/within.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { ProviderScores } from './provider-scores.js'

/** A check of a local server ends before; a request that nobody else can serve waits so long for it, ms. */
const RECHECK_WITHIN_MS = 2_500

/**
 * This node's own servers, the one to ask first first: those that refused or failed a moment ago come last, then it is
 * the fewest requests at work, and of equals the fastest as measured. `services` is left as it is.
 */
export function byLoad(
  scores: Pick<ProviderScores, 'load' | 'estimate' | 'refusedLately'>,
  services: readonly LocalService[],
): readonly LocalService[] {
  if (services.length < 2) return services
  return services
    .map((service) => {
      const load = scores.load(service.id)
      return {
        service,
        refused: Number(scores.refusedLately(service.id)),
        load,
        ms: scores.estimate(service.id).totalMs,
      }
    })
    .sort((a, b) => a.refused - b.refused || a.load.inFlight - b.load.inFlight || a.ms - b.ms)
    .map(({ service }) => service)
}

/** Checks these servers of this node anew, all at once, so that none is believed to be down from memory alone. */
export async function recheck(
  registry: Pick<ServiceRegistry, 'recheck'>,
  services: readonly LocalService[],
): Promise<void> {
  await within(Promise.all(services.map(({ id }) => registry.recheck(id))), RECHECK_WITHIN_MS, () => [])
}
