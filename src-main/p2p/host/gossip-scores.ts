import type { GossipsubOpts } from '@libp2p/gossipsub'

/** The gossipsub topic of the node table. Its number changes with the message format. */
export const TABLE_TOPIC = '/ocf/table/1'

/** What a rejected message has cost is forgotten to a hundredth in this many seconds, one step a second. */
const FORGIVEN_WITHIN_S = 600

/**
 * How gossipsub judges peers: by the validity of what they send. Ten invalid messages are graylisted (nothing of that
 * peer is read), three get no gossip any more; both pass with time. Silence costs nothing, as an honest table is silent
 * most of the time, and neither does an address shared with others: more than ten peers behind one are graylisted
 * otherwise, and nothing reaches them.
 */
export const GOSSIP_SCORES = {
  scoreParams: {
    IPColocationFactorWeight: 0,
    // A busy machine misses a promise now and then; the default takes one for an attack.
    behaviourPenaltyThreshold: 6,
    topics: {
      [TABLE_TOPIC]: {
        topicWeight: 1,
        timeInMeshWeight: 0.01,
        timeInMeshQuantum: 1000,
        timeInMeshCap: 300,
        firstMessageDeliveriesWeight: 0.1,
        firstMessageDeliveriesDecay: 0.99,
        firstMessageDeliveriesCap: 50,
        meshMessageDeliveriesWeight: 0,
        meshMessageDeliveriesDecay: 0.5,
        meshMessageDeliveriesCap: 1,
        meshMessageDeliveriesThreshold: 1,
        meshMessageDeliveriesWindow: 10,
        meshMessageDeliveriesActivation: 5000,
        meshFailurePenaltyWeight: 0,
        meshFailurePenaltyDecay: 0.5,
        // Squared: three cost 9, ten cost 100.
        invalidMessageDeliveriesWeight: -1,
        invalidMessageDeliveriesDecay: 0.01 ** (1 / FORGIVEN_WITHIN_S),
      },
    },
  },
  scoreThresholds: {
    gossipThreshold: -8,
    publishThreshold: -40,
    graylistThreshold: -80,
    acceptPXThreshold: 100,
    opportunisticGraftThreshold: 1,
  },
} satisfies Partial<GossipsubOpts>
