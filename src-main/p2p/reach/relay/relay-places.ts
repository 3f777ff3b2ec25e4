import { relayOf } from '../../dial/ip-scope.js'
import type { ReachFacts } from '../../index.js'
import type { RelayReservations } from './relay-reservations.js'

/** The relays that lead to this node, from the addresses it announces. */
export function relayPlaces(
  announced: readonly string[],
  reservations: Pick<RelayReservations, 'untilMs'>,
): ReachFacts['relays'] {
  const relays = announced.map(relayOf).filter((relay) => relay !== undefined)
  return [...new Set(relays)].map((peerId) => ({ peerId, untilMs: reservations.untilMs(peerId) }))
}
