import { z } from 'zod'
import { cleanName, MAX_NAME_LENGTH } from '#shared/person-names.js'

/** Entries of a file that are looked at. */
export const MAX_ENTRIES = 4_000

/** People and open invites that are kept; invites that are over are kept for a while besides, so that they can be told. */
export const TRUST_LIMITS = { people: 1_000, invites: 100, endedInvites: 100, addresses: 8 } as const

const PeerIdSchema = z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{46,60}$/)
const NameSchema = z
  .string()
  .min(1)
  .max(4 * MAX_NAME_LENGTH)
const TimeSchema = z.number().int().nonnegative()

const KeptAddressSchema = z.strictObject({
  address: z.string().max(512),
  /** It was in an invite, or this node got through to it: it is dialled wherever it leads. */
  proven: z.boolean(),
})
/** Where a person was last; an address that was only told is dialled like any stranger's. */
export type KeptAddress = z.output<typeof KeptAddressSchema>

/** One person of `trust.json`. */
export const KeptPersonSchema = z.object({
  peerId: PeerIdSchema,
  givenName: NameSchema.optional(),
  ownName: NameSchema.optional(),
  /** `settings`: only remembered, and trusted as long as the settings name it. */
  trustedBy: z.enum(['invited', 'accepted', 'code', 'hand', 'settings']),
  /** Unix milliseconds. */
  trustedAtMs: TimeSchema,
  inviteId: z.string().max(64).optional(),
  /** The latest first. */
  addresses: z.array(KeptAddressSchema).max(TRUST_LIMITS.addresses).default([]),
  /** Unix milliseconds. */
  lastSeenMs: TimeSchema.optional(),
})
/** A person as it is kept; times in Unix milliseconds. */
export type KeptPerson = z.output<typeof KeptPersonSchema>

/** One invite of `trust.json`. */
export const KeptInviteSchema = z.object({
  /** A hash of the secret: what a guest names the invite by. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  /** Another hash of it: what both sides prove their knowledge with. The secret itself is not kept. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
  name: NameSchema.optional(),
  uses: z.number().int().min(1).max(1_000),
  usesLeft: z.number().int().nonnegative().max(1_000),
  madeAtMs: TimeSchema,
  expiresAtMs: TimeSchema,
  usedBy: z.array(PeerIdSchema).max(1_000).default([]),
  revokedAtMs: TimeSchema.optional(),
})
/** An invite as it is kept; times in Unix milliseconds. */
export type KeptInvite = z.output<typeof KeptInviteSchema>

/** What is to be joined after a restart. */
export const PendingJoinSchema = z.object({ text: z.string().max(600), sinceMs: TimeSchema })
/** An invite into another network, to be accepted once this node runs in it. */
export type PendingJoin = z.output<typeof PendingJoinSchema>

/** What `trust.json` holds. */
export interface TrustContent {
  readonly people: readonly KeptPerson[]
  readonly invites: readonly KeptInvite[]
  readonly pending: PendingJoin | undefined
}

/** A guest that has proved that it knows an invite. */
export interface Guest {
  peerId: string
  /** What it calls itself. */
  name: string
}

/** A peer that is to be trusted. */
export interface NewPerson {
  peerId: string
  trustedBy: Exclude<KeptPerson['trustedBy'], 'settings'>
  givenName?: string | undefined
  ownName?: string | undefined
  inviteId?: string | undefined
  addresses?: readonly KeptAddress[]
}

/** How an invite stands at that moment (Unix milliseconds). */
export function inviteState(invite: KeptInvite, nowMs: number): 'open' | 'used' | 'expired' | 'revoked' {
  if (invite.revokedAtMs !== undefined) return 'revoked'
  if (invite.usesLeft === 0) return 'used'
  return nowMs >= invite.expiresAtMs ? 'expired' : 'open'
}

/** A person with what is new about it; who is trusted already stays so for the same reason. */
export function joined(before: KeptPerson | undefined, person: NewPerson, nowMs: number): KeptPerson {
  const { addresses = [], peerId, trustedBy, ...facts } = person
  const isNew = before === undefined || before.trustedBy === 'settings'
  const known = (before?.addresses ?? []).filter(({ address }) => !addresses.some((other) => other.address === address))
  return {
    ...before,
    ...(isNew ? { trustedBy, trustedAtMs: nowMs } : { trustedBy: before.trustedBy, trustedAtMs: before.trustedAtMs }),
    ...definedOf(facts),
    peerId,
    addresses: [...addresses, ...known].slice(0, TRUST_LIMITS.addresses),
  }
}

/** The name on an invite for one guest is what its owner calls that guest. */
export const guestOf = ({ id, uses, name }: KeptInvite, guest: Guest): NewPerson => ({
  ...{ peerId: guest.peerId, trustedBy: 'invited', inviteId: id },
  ownName: cleanName(guest.name) || undefined,
  givenName: uses === 1 ? name : undefined,
})

/** Somebody of whom only the settings know. */
export const fromSettings = (peerId: string): KeptPerson => ({
  peerId,
  trustedBy: 'settings',
  trustedAtMs: 0,
  addresses: [],
})

/** Without what is undefined. */
export function definedOf<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

const BackupSchema = z.object({ people: z.array(z.unknown()).max(MAX_ENTRIES) })

/** The people in a backup's text; what can't be understood is left out. */
export function peopleIn(text: string): KeptPerson[] {
  const { data } = BackupSchema.safeParse(parseJson(text))
  return (data?.people ?? []).flatMap((entry) => {
    const parsed = KeptPersonSchema.safeParse(entry)
    return parsed.success && parsed.data.trustedBy !== 'settings' ? [parsed.data] : []
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
