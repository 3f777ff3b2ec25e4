import { z } from 'zod'
import { defineCall, defineListFeed, NoInputSchema } from '../define.js'
import { LIST_FEED_KEYS } from '../list-feeds.js'

const PeerSchema = z.strictObject({ peer: z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{46,60}$/, 'That is no peer id.') })

/** A node of the same local network. */
const NearbySchema = z.object({
  peerId: z.string(),
  /** What it is called, where it is trusted; strangers tell no name: null. */
  name: z.string().nullable(),
  /** Its IP address in the local network. */
  address: z.string(),
  /** Unix milliseconds of when it was met. */
  sinceMs: z.number(),
  connected: z.boolean(),
  trusted: z.boolean(),
})
/** A node of the same local network; times in Unix milliseconds. */
export type Nearby = z.output<typeof NearbySchema>

/** What came of a pairing. */
const PairEndingSchema = z.enum([
  ...['trusted', 'unsure', 'refused', 'differ', 'they-refused', 'they-differ', 'expired', 'mismatch', 'broken-off'],
  ...['unreachable', 'unsupported', 'busy', 'off', 'far', 'full', 'not-stored'],
] as const)
/**
 * `trusted`: both trust each other; `unsure`: both confirmed and this node wrote it down, but the other was lost before it
 * said the same; `refused`, `differ`: the person here said so, `they-…`: the one there; `expired`: no answer in time;
 * `mismatch`: the other side did not keep to what it had promised; `broken-off`: the connection was lost or brought
 * something else; `busy`: it is asked too often; `off`, `far`: it does not want to be asked, or not from there; `full`,
 * `not-stored`: one side could not write it down. Only the first two change anything.
 */
export type PairEnding = z.output<typeof PairEndingSchema>

const PairingSchema = z.object({
  peerId: z.string(),
  /** What it is called, where it is trusted already; null otherwise. */
  name: z.string().nullable(),
  /** Its IP address; empty until it is known. */
  address: z.string(),
  /** Who asked whom. */
  direction: z.enum(['outgoing', 'incoming']),
  /** `reaching` it; `compare`: the code is there and the person here has not answered; `waiting` for the person there; `over`. */
  state: z.enum(['reaching', 'compare', 'waiting', 'over']),
  /** Six digits, as `123 456`, while they are to be compared; null before and afterwards. */
  code: z.string().nullable(),
  /** The person there has confirmed. */
  theyConfirmed: z.boolean(),
  /** Unix milliseconds. */
  sinceMs: z.number(),
  /** Unix milliseconds of when it ends without an answer; null without a code. */
  untilMs: z.number().nullable(),
  ending: PairEndingSchema.nullable(),
  /** The ending in words; null before. */
  sentence: z.string().nullable(),
})
/** Two nodes that are to trust each other, with the code on both screens; times in Unix milliseconds. */
export type Pairing = z.output<typeof PairingSchema>

/** Calls about pairing with nodes of the local network. */
export const pairingCalls = {
  'people.nearby': defineCall('The nodes of this local network.', {
    input: NoInputSchema,
    output: z.array(NearbySchema),
  }),
  'people.pair': defineCall(
    'Asks a node nearby to pair; the code comes with `people.pairings`. While one with that peer is open, that one.',
    { input: PeerSchema, output: PairingSchema },
  ),
  'people.pairings': defineCall('The open pairings, and the last that are over; one for each peer.', {
    input: NoInputSchema,
    output: z.array(PairingSchema),
  }),
  'people.confirmPairing': defineCall('Says that both screens show that code.', {
    input: z.strictObject({ ...PeerSchema.shape, code: z.string().regex(/^\d{3} ?\d{3}$/, 'A code has six digits.') }),
    output: PairingSchema,
  }),
  'people.refusePairing': defineCall('Ends a pairing: nothing is changed.', {
    input: z.strictObject({
      ...PeerSchema.shape,
      /** The codes are not the same: somebody may be in between. */
      differ: z.boolean().default(false),
    }),
    output: PairingSchema,
  }),
}

/** The feeds of nodes nearby and of pairings, keyed by peer id. */
export const pairingFeeds = {
  nearby: defineListFeed('The same as people.nearby, as it changes.', NearbySchema, LIST_FEED_KEYS.nearby),
  pairings: defineListFeed('The same as people.pairings, as it changes.', PairingSchema, LIST_FEED_KEYS.pairings),
}
