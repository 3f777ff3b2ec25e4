import { relayOf } from '../ip-scope.js'
import type { ReachFacts } from '../index.js'
import type { RelayBudgets } from './relay-budgets.js'

/** The relays that lead to this node, from the addresses it announces. */
export function relayPlaces(
  announced: readonly string[],
  budgets: Pick<RelayBudgets, 'circuitBytes'>,
): ReachFacts['relays'] {
  const relays = announced.map(relayOf).filter((relay) => relay !== undefined)
  return [...new Set(relays)].map((peerId) => ({ peerId, circuitBytes: budgets.circuitBytes(peerId) }))
}
