import { z } from 'zod'
import { MAX_NAME_LENGTH } from '../../person-names.js'
import { defineCall, defineListFeed, NoInputSchema } from '../define.js'
import { LIST_FEED_KEYS } from '../list-feeds.js'

const PeerIdSchema = z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{46,60}$/, 'That is no peer id, like 12D3KooW….')

/** A name as a person types it; what cannot be seen in it is taken out. */
const TypedNameSchema = z.string().max(4 * MAX_NAME_LENGTH)

/**
 * How a peer came to be trusted. `invited`: it came with an invite of this node; `accepted`: this node came with an invite
 * of it; `code`: both screens showed the same code; `hand`: by its peer id, in the app; `settings`: it stands in the
 * setting `trusted-peers`.
 */
const TrustedBySchema = z.enum(['invited', 'accepted', 'code', 'hand', 'settings'])

/** A peer that the owner of this node trusts. */
const PersonSchema = z.object({
  peerId: z.string(),
  /** What it is shown as: the name given here, else the one it calls itself, else a short form of its id. Never twice the same. */
  label: z.string(),
  /** The name given here; null without one. It counts more than the other. */
  givenName: z.string().nullable(),
  /** What it calls itself; null where it did not say. Names prove nothing. */
  ownName: z.string().nullable(),
  trustedBy: TrustedBySchema,
  /** False where it stands in the setting `trusted-peers`: it stays trusted until it is taken out there. */
  revocable: z.boolean(),
  /** Unix milliseconds; null where only the settings name it. */
  trustedAtMs: z.number().nullable(),
  /** The invite it came with; null without one. */
  inviteId: z.string().nullable(),
  connected: z.boolean(),
  /** Unix milliseconds of the last connection; null where there was none. */
  lastSeenMs: z.number().nullable(),
})
/** A trusted peer; times in Unix milliseconds. */
export type Person = z.output<typeof PersonSchema>

const OwnNameSchema = z.object({
  /** What this node calls itself to the peers it trusts; empty where it tells no name. */
  name: z.string(),
  /** It was not chosen: the first name of this computer’s user, or the name of the computer. */
  isDefault: z.boolean(),
  /** False where a flag or the environment sets it, which counts until the next start. */
  editable: z.boolean(),
})
/** What this node calls itself. */
export type OwnName = z.output<typeof OwnNameSchema>

/** Calls about trusted peers and names. */
export const peopleCalls = {
  'people.list': defineCall('The peers this node trusts.', { input: NoInputSchema, output: z.array(PersonSchema) }),
  'people.trust': defineCall('Trusts a peer by its id; a name given here counts more than its own.', {
    input: z.strictObject({ peer: PeerIdSchema, name: TypedNameSchema.optional() }),
    output: z.object({ person: PersonSchema }),
  }),
  'people.untrust': defineCall('Stops trusting a peer; what runs between it and this node ends at once.', {
    input: z.strictObject({ peer: PeerIdSchema }),
    output: z.object({
      untrusted: PersonSchema,
      /** The invite it came with, where others may still come with it; null otherwise. */
      openInviteId: z.string().nullable(),
    }),
  }),
  'people.rename': defineCall('Gives a trusted peer a name here; an empty one takes it away.', {
    input: z.strictObject({ peer: PeerIdSchema, name: TypedNameSchema }),
    output: z.object({ person: PersonSchema }),
  }),
  'people.export': defineCall('The trusted peers as the text of a JSON file; it opens nothing.', {
    input: NoInputSchema,
    output: z.object({ fileName: z.string(), text: z.string() }),
  }),
  'people.ownName': defineCall('What this node calls itself to the peers it trusts.', {
    input: NoInputSchema,
    output: OwnNameSchema,
  }),
  'people.setOwnName': defineCall('Changes that name; an empty one tells none, null goes back to the default.', {
    input: z.strictObject({ name: TypedNameSchema.nullable() }),
    output: OwnNameSchema,
  }),
}

/** The feed of trusted peers, keyed by peer id. */
export const peopleFeeds = {
  people: defineListFeed('The same as people.list, as it changes.', PersonSchema, LIST_FEED_KEYS.people),
}
