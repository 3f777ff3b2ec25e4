import { z } from 'zod'
import type { WireError } from '../errors.js'

/** The subprotocol both ends of the feed socket speak. */
export const FEED_PROTOCOL = 'ocf'
/** A second, never selected subprotocol carries the token: this prefix and the token. So it stands in no URL or log. */
export const TOKEN_PROTOCOL_PREFIX = 'ocf.token.'

/** One message of a feed. A delta turns revision `from` into `revision`. */
export type FeedMessage =
  | { type: 'snapshot'; revision: number; data: unknown }
  | { type: 'delta'; from: number; revision: number; data: unknown }

/** What a follower sends: `id` is its own choice and comes back with every message of that feed. */
export const FollowerMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('follow'), id: z.number().int().nonnegative(), feed: z.string().max(64) }),
  z.strictObject({ type: z.literal('unfollow'), id: z.number().int().nonnegative() }),
])
/** A message of a page that follows feeds over a socket. */
export type FollowerMessage = z.output<typeof FollowerMessageSchema>

/** What a feed brings, or why it can't be followed. */
export type FeedNews = { message: FeedMessage } | { error: WireError['error'] }

/** What a follower gets, under the id of its choice. */
export type FollowedMessage = { id: number } & FeedNews

/** The answer to a call where the transport has no status line of its own (IPC). */
export type CallReply = { ok: true; output: unknown } | { ok: false; error: WireError['error'] }
