import { createOwnPolicy } from '../own-policy.ts'
import { FIXED_ORDER, shuffled, type PolicyFactory } from '../policies.ts'
import { createStatusView } from '../status-view.ts'
import { createProviderScores, DEFAULT_SLOTS, estimatedTtfbMs } from './former-scores.ts'

const MAX_ATTEMPTS = 4
const RETRY_AFTER_MS = 5_000
/** How much longer than the best of the drawn the one that served the conversation last may be expected to take. */
const WARM_BOUND = 2
const FORGET_AFTER_MS = 10 * 60_000

/** The router as it was: of so many candidates drawn at random the one with the shortest expected wait. */
export function sampled(drawn: number): PolicyFactory {
  return (needs) => {
    const { sim, providers, random } = needs
    const own = createOwnPolicy(needs)
    const scores = createProviderScores({ monotonic: { elapsedMs: () => sim.now() } })
    const status = createStatusView(sim, providers)
    status.subscribe(({ peerId, outcome }) => {
      if (outcome.kind !== 'answered') return
      const { slotsTotal, queueLength } = outcome.status
      scores.reported(peerId, { slots: slotsTotal ?? DEFAULT_SLOTS, queued: queueLength })
    })
    const served = new Map<string, { peerId: string; atMs: number }>()

    const estimateMs = (peerId: string): number => {
      status.get(peerId)
      return estimatedTtfbMs(scores.load(peerId))
    }

    function isBetter(one: string, other: string): boolean {
      const busy = scores.refusedLately(one)
      return busy === scores.refusedLately(other) ? estimateMs(one) < estimateMs(other) : !busy
    }

    return {
      ...own,
      ...FIXED_ORDER,
      choose(request) {
        const left = own.routable()
        const chosen: string[] = []
        while (chosen.length < MAX_ATTEMPTS && left.length > 0) {
          const best = shuffled(left, random)
            .slice(0, drawn)
            .reduce((one, other) => (isBetter(other, one) ? other : one))
          left.splice(left.indexOf(best), 1)
          chosen.push(best)
        }
        const last = served.get(request.conversation)
        const warm = last !== undefined && sim.now() - last.atMs <= FORGET_AFTER_MS ? last.peerId : undefined
        const [best] = chosen
        if (warm === undefined || best === undefined || !own.routable().includes(warm)) return Promise.resolve(chosen)
        const isWarmEnough = !scores.refusedLately(warm) && estimateMs(warm) <= WARM_BOUND * estimateMs(best)
        const order = isWarmEnough ? [warm, ...chosen.filter((peerId) => peerId !== warm)] : chosen
        return Promise.resolve(order.slice(0, MAX_ATTEMPTS))
      },
      begin(peerId, request) {
        const report = own.begin(peerId, request)
        const scored = scores.begin(peerId)
        return {
          firstByte(ttfbMs) {
            scored.answered(ttfbMs)
            report.firstByte(ttfbMs)
          },
          end(how) {
            if (how === 'refused') scored.refused(RETRY_AFTER_MS)
            scored.end()
            report.end(how)
          },
        }
      },
      answered(request, peerId) {
        served.set(request.conversation, { peerId, atMs: sim.now() })
      },
    }
  }
}
