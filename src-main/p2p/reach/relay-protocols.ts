/** Circuit relay v2: asking a relay, and being asked by one. */
export const RELAY_HOP = '/libp2p/circuit/relay/0.2.0/hop'
export const RELAY_STOP = '/libp2p/circuit/relay/0.2.0/stop'

/** Direct connection upgrade through relay: hole punching. */
export const HOLE_PUNCH = '/libp2p/dcutr'
