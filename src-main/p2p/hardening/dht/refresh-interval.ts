/** Peers of a routing table up to which a refresh costs no more than a lookup of the whole network does. */
const SMALL_TABLE_PEERS = 40

/**
 * How much rarer a routing table of `peers` is refreshed than one of a small network. A refresh is a lookup for each
 * distance the table holds, and in a large network each lookup dials some forty peers that are not connected.
 */
export function refreshFactor(peers: number): number {
  return Math.max(1, (peers / SMALL_TABLE_PEERS) ** 1.5)
}
