// For @libp2p/identify 4.1.14: it takes ten messages of 8 KiB at a time, from anyone, as often as they come. Goes when
// pushes of a peer are limited in time and identify bounds what it reads in all.

import { PeerBudget } from '../stream-bounds/peer-budget.js'
import type { StreamRule } from '../stream-bounds/stream-rules.js'

/** What one message of the library may have. */
const MAX_MESSAGE_BYTES = 8 * 1024
/** Of one exchange: a hundred addresses, twice (the second time signed), and as many protocols. */
const MAX_EXCHANGE_BYTES = 16 * 1024

/** What peers may say of themselves: at every connection, and in a push when their addresses change. */
export function identifyRules(): StreamRule[] {
  return [
    {
      protocols: ['/ipfs/id/1.0.0'],
      maxFrameBytes: MAX_MESSAGE_BYTES,
      maxStreamBytes: MAX_EXCHANGE_BYTES,
      overspent: 1,
    },
    {
      protocols: ['/ipfs/id/push/1.0.0'],
      maxFrameBytes: MAX_MESSAGE_BYTES,
      maxStreamBytes: MAX_EXCHANGE_BYTES,
      // A node that starts learns its addresses one by one; after that, one push in ten seconds. A whole office may
      // start at the same time.
      streams: new PeerBudget({ capacity: 6, refillPerS: 0.1 }, { peersOfSource: 100 }),
      overspent: 1,
    },
  ]
}
