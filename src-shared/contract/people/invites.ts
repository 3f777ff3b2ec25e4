import { z } from 'zod'
import { MAX_NAME_LENGTH } from '../../person-names.js'
import { defineCall, defineListFeed, defineStateFeed, NoInputSchema } from '../define.js'
import { LIST_FEED_KEYS } from '../list-feeds.js'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** What a new invite may be; times in milliseconds. */
export const INVITE_LIMITS = {
  minUses: 1,
  maxUses: 100,
  minMs: MINUTE_MS,
  maxMs: 365 * DAY_MS,
  defaultUses: 1,
  defaultMs: 7 * DAY_MS,
} as const

/** Characters of a pasted text that are looked through for what can be joined. */
export const MAX_PASTED_LENGTH = 20_000

const PastedTextSchema = z.string().max(MAX_PASTED_LENGTH)

/** An invite of this node. Its secret is shown once, when it is made, and kept nowhere. */
const InviteSchema = z.object({
  id: z.string(),
  /** For whom it is, as the owner wrote it; null where nothing was written. */
  name: z.string().nullable(),
  /** `open` while somebody may come with it. */
  state: z.enum(['open', 'used', 'expired', 'revoked']),
  uses: z.number().int(),
  usesLeft: z.number().int(),
  /** Unix milliseconds. */
  madeAtMs: z.number(),
  /** Unix milliseconds. */
  expiresAtMs: z.number(),
  /** Peer ids of those who came with it. */
  usedBy: z.array(z.string()),
})
/** An invite of this node; times in Unix milliseconds. */
export type InviteView = z.output<typeof InviteSchema>

/** What is wrong with a pasted text. */
const TextProblemSchema = z.enum(['no-invite', 'cut-off', 'damaged', 'several', 'newer-version'])
/**
 * `no-invite`: it holds none; `cut-off`: its end is missing; `damaged`: characters are missing or changed; `several`: it
 * holds more than one; `newer-version`: it was made by a later version of this program.
 */
export type TextProblem = z.output<typeof TextProblemSchema>

/** What keeps an invite from being accepted here, as far as that can be said before asking. */
const InviteProblemSchema = z.enum([...TextProblemSchema.options, 'own-invite', 'expired', 'other-network'])
/**
 * A {@link TextProblem}, or: `own-invite`: this node made it; `expired`: by the clock of this computer; `other-network`:
 * it leads into another network than this node is in.
 */
export type InviteProblem = z.output<typeof InviteProblemSchema>

const NetworkSchema = z.enum(['public', 'private'])

const ReadInviteSchema = z.object({
  /** Null for a text that is no whole invite. */
  invite: z
    .object({
      /** The peer id of who made it. */
      inviter: z.string(),
      /** What the inviter calls itself; null where it does not say. It proves nothing. */
      name: z.string().nullable(),
      /** `private`: a network with a key of its own, which the invite carries. */
      network: NetworkSchema,
      /** Unix milliseconds. */
      expiresAtMs: z.number(),
      /** This node trusts the inviter already. */
      trusted: z.boolean(),
    })
    .nullable(),
  problem: InviteProblemSchema.nullable(),
  /** The problem in a sentence; null without one. */
  sentence: z.string().nullable(),
  /** This node can go over into the network of the invite: `people.join` with `switchNetwork`, and a restart. */
  canSwitch: z.boolean(),
})
/** What a pasted invite says. */
export type ReadInvite = z.output<typeof ReadInviteSchema>

/** What came of joining with an invite. */
const JoinOutcomeSchema = z.enum([
  ...['joined', 'already-trusted', 'restart-needed'],
  ...InviteProblemSchema.options,
  ...['used', 'revoked', 'refused', 'busy', 'unreachable', 'unsupported', 'broken-off', 'not-stored', 'full'],
] as const)
/**
 * `joined`: both trust each other now; `already-trusted`: they did before; `restart-needed`: it goes on in the network of
 * the invite after a restart; an {@link InviteProblem}; `used`, `revoked`: the inviter says so; `refused`: the inviter does
 * not know the invite; `busy`: too many attempts from this network; `unreachable`: the inviter is not there;
 * `unsupported`: its program knows no invites; `broken-off`: the connection was lost half-way; `not-stored`: the inviter
 * could not write it down; `full`: one of both trusts as many peers as it may.
 */
export type JoinOutcome = z.output<typeof JoinOutcomeSchema>

const JoiningSchema = z.object({
  inviter: z.string(),
  name: z.string().nullable(),
  /** `reaching` the inviter, `proving` that the invite is known. */
  stage: z.enum(['reaching', 'proving']),
  /** Unix milliseconds. */
  sinceMs: z.number(),
})
/** An invite that is being accepted. */
export type Joining = z.output<typeof JoiningSchema>

/** Calls about invites: those of this node, and those it was sent. */
export const invitesCalls = {
  'people.invite': defineCall('Makes an invite; this answer is the only time that its text is shown.', {
    input: z.strictObject({
      /** For whom it is; only for the list of invites here. */
      name: z
        .string()
        .max(4 * MAX_NAME_LENGTH)
        .optional(),
      uses: z.number().int().min(INVITE_LIMITS.minUses).max(INVITE_LIMITS.maxUses).default(INVITE_LIMITS.defaultUses),
      forMs: z.number().int().min(INVITE_LIMITS.minMs).max(INVITE_LIMITS.maxMs).default(INVITE_LIMITS.defaultMs),
    }),
    output: z.object({
      invite: InviteSchema,
      /** One line, at most 500 characters. */
      text: z.string(),
      /** The same as a link that opens the app. */
      link: z.string(),
      /** From where the addresses in it can be reached: anywhere, this local network, this computer, or not at all. */
      reach: z.enum(['anywhere', 'lan', 'machine', 'nowhere']),
    }),
  }),
  'people.invites': defineCall('The invites of this node, the newest first.', {
    input: NoInputSchema,
    output: z.array(InviteSchema),
  }),
  'people.revokeInvite': defineCall('Refuses an invite from now on; who came with it stays trusted.', {
    input: z.strictObject({ id: z.string().min(1).max(64) }),
    output: z.object({ revoked: InviteSchema }),
  }),
  'people.readInvite': defineCall('What a pasted text says as an invite; nobody is asked and nothing is changed.', {
    input: z.strictObject({ text: PastedTextSchema }),
    output: ReadInviteSchema,
  }),
  'people.join': defineCall(
    'Accepts an invite; takes up to half a minute, and the feed `joining` shows how far it is.',
    {
      input: z.strictObject({
        text: PastedTextSchema,
        /** For an invite into another network: takes its key for the next start, and goes on then. */
        switchNetwork: z.boolean().default(false),
      }),
      output: z.object({
        outcome: JoinOutcomeSchema,
        sentence: z.string(),
        /** Who invited; null where nothing came of it. */
        peerId: z.string().nullable(),
      }),
    },
  ),
}

/** The feeds of invites, keyed by their id, and of joining. */
export const invitesFeeds = {
  invites: defineListFeed('The same as people.invites, as it changes.', InviteSchema, LIST_FEED_KEYS.invites),
  joining: defineStateFeed('The invite that is being accepted, or null.', JoiningSchema.nullable()),
}
