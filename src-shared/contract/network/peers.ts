import { z } from 'zod'
import { defineCall, defineListFeed, NoInputSchema } from '../define.js'
import { LIST_FEED_KEYS } from '../list-feeds.js'

/** How a connection runs; a hole-punched one is direct, through the NATs of both ends. */
export const PathKindSchema = z.enum(['direct-tcp', 'direct-ws', 'direct-quic', 'hole-punched', 'relayed'])
/** The kind of one connection to a peer. */
export type PathKind = z.output<typeof PathKindSchema>

/** How a peer stands; see {@link Standing}. */
export const StandingSchema = z.enum(['proven', 'doubtful', 'unproven', 'away'])
/**
 * What is known of a peer that offers something. `proven`: it is connected, or was and answered, and what was asked of it
 * came; `doubtful`: it, or this very offer of it, failed a moment ago; `unproven`: it may not be there at all, its row
 * came from others; `away`: it says that it takes nothing.
 */
export type Standing = z.output<typeof StandingSchema>

/** A peer this node knows: connected, in the node table, or both. */
const PeerViewSchema = z.object({
  peerId: z.string(),
  connected: z.boolean(),
  /** Whether it is known to be there at all. */
  standing: StandingSchema,
  /** The kinds of its open connections, best first. */
  paths: z.array(PathKindSchema),
  /** Remote addresses of its open connections. */
  multiaddrs: z.array(z.string()),
  /** The relays it is reached through, by peer id; absent while a direct connection is open. */
  relays: z.array(z.string()).optional(),
  /** Who opened the oldest connection; null when there is none. */
  direction: z.enum(['inbound', 'outbound']).nullable(),
  /** Unix milliseconds since when it is connected. */
  connectedAtMs: z.number().nullable(),
  /** Identity-group entries it offers, `service:entry`. */
  offers: z.array(z.string()),
  /** What it says its version is; empty when it says nothing. */
  version: z.string(),
  /** It is a provider of the Go implementation’s network: what it offers stands in no signed table. Else absent. */
  unsigned: z.literal(true).optional(),
  /** Round trip in ms as measured here. */
  rttMs: z.number().optional(),
})
/** A known peer with its connections; times in Unix milliseconds, round trips in milliseconds. */
export type PeerView = z.output<typeof PeerViewSchema>

/** Calls about the peers this node knows. */
export const peersCalls = {
  'peers.list': defineCall('Every peer this node knows.', { input: NoInputSchema, output: z.array(PeerViewSchema) }),
}

/** The feed of known peers, keyed by peer id. */
export const peersFeeds = {
  peers: defineListFeed('The same as peers.list, as it changes.', PeerViewSchema, LIST_FEED_KEYS.peers),
}
