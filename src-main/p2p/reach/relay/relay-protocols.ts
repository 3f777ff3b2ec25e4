/** Circuit relay v2: what a peer speaks that relays for others. */
export const RELAY_HOP = '/libp2p/circuit/relay/0.2.0/hop'
