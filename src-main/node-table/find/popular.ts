/**
 * Providers of an entry that a partial table holds, from which on it is found without the DHT: whoever asks has some in
 * its own table. Beyond that number only as many publish as stand for it, or the peers near its keys would hear of all.
 */
const ENOUGH_IN_TABLE = 16

/**
 * Whether one of `providers` that the table holds stands in the DHT for an entry. `draw` is a number in [0, 1) that the
 * node drew once for that entry. A whole table's count is that of the network, and nobody is left out.
 */
export function standsInDht(draw: number, providers: number, isPartial: boolean): boolean {
  return !isPartial || draw * providers < ENOUGH_IN_TABLE
}
