// For @libp2p/autonat 3.0.28: it walks the network for peers to ask, and dials back over the connection it was asked
// on. Goes when both can be switched off.

import { autoNAT, type AutoNATComponents } from '@libp2p/autonat'
import { override } from './override.js'

/**
 * AutoNAT, which tells others whether this node can dial them. Two things are changed: it looks for no strangers to ask
 * (a random walk a minute is several times the budget of an idle node), and it dials back on a new connection: as the
 * library has it, it takes the one the request came over for the answer and then closes it.
 */
export function autoNatService(): (components: AutoNATComponents) => unknown {
  return (components) => {
    const { connectionManager } = components
    const dialling: Pick<typeof connectionManager, 'openConnection'> = {
      openConnection: (target, options) => connectionManager.openConnection(target, { ...options, force: true }),
    }
    return autoNAT({ maxInboundStreams: 4, maxOutboundStreams: 4 })(
      override(components, {
        connectionManager: override(connectionManager, dialling),
        randomWalk: { walk: () => nobody() },
      }),
    )
  }
}

async function* nobody(): AsyncGenerator<never> {
  // Yields nothing.
}
