import { MAX_LEGS, type TrafficCandidate } from '#shared/contract/node/traffic.js'
import type { Estimate } from './estimate.js'

/** Characters of a peer id that tell one from the others at a glance. */
const SHORT_ID = 6

/** What was expected of a provider, in whole milliseconds and tokens. */
export function consideredAt(peer: string, estimate: Estimate, unreadTokens: number): TrafficCandidate {
  return {
    peer,
    rttMs: Math.round(estimate.rttMs),
    fixedMs: Math.round(estimate.fixedMs),
    readMs: Math.round(estimate.readMs),
    queueMs: Math.round(estimate.queueMs),
    hangMs: Math.round(estimate.hangMs),
    unreadTokens: Math.round(unreadTokens),
  }
}

/** The header `X-Ocf-Route`: the candidates in their order, with what was expected of each. */
export function routeText(candidates: readonly TrafficCandidate[]): string | undefined {
  if (candidates.length === 0) return undefined
  return candidates
    .map(({ peer, rttMs, fixedMs, readMs, queueMs, hangMs, unreadTokens }) => {
      const ms = rttMs + fixedMs + readMs + queueMs + hangMs
      return `${peer.slice(-SHORT_ID)};ms=${ms};read=${readMs};queue=${queueMs};unread=${unreadTokens}`
    })
    .join(', ')
}

/** The candidates once more, when those who are left were chosen anew: who was asked already, then the best of `left`. */
export function consideredAnew(
  before: readonly TrafficCandidate[],
  asked: ReadonlySet<string>,
  left: readonly TrafficCandidate[],
): TrafficCandidate[] {
  const tried = before.filter(({ peer }) => asked.has(peer))
  return [...tried, ...left.filter(({ peer }) => !asked.has(peer))].slice(0, MAX_LEGS)
}
