import { relayOf } from '../ip-scope.js'

/** The relays that lead to this node, from the addresses it announces. */
export function relayPlaces(announced: readonly string[]): string[] {
  const relays = announced.map(relayOf).filter((relay) => relay !== undefined)
  return [...new Set(relays)]
}
