import { z } from 'zod'

/**
 * Who may use a model of this machine, from the narrowest to the widest: this machine’s own apps, also the peers the
 * person trusts, or every peer. Only what everyone may use is published.
 */
export const VISIBILITIES = ['me', 'trusted', 'everyone'] as const
/** One of {@link VISIBILITIES}. */
export const VisibilitySchema = z.enum(VISIBILITIES)
/** Who may use a model of this machine: one of {@link VISIBILITIES}. */
export type Visibility = z.output<typeof VisibilitySchema>

/** A further name for a model. */
export const AliasSchema = z.strictObject({
  name: z.string().min(1).max(200),
  /** A model of the same share, by the server's id or the published one. */
  model: z.string().min(1).max(1024),
})

/** What the person chose for one model of a server. */
export const ModelChoiceSchema = z.object({
  /** By the server's own id. */
  model: z.string().min(1).max(1024),
  /** False: it is not offered at all, not even to this machine's own apps. */
  ticked: z.boolean(),
  /** Of an un-ticked model the one it had, or would get. */
  visibility: VisibilitySchema,
})
/** What was chosen for one model of a server. */
export type ModelChoice = z.output<typeof ModelChoiceSchema>

/** Everything that was chosen for a server, kept also when its sharing is stopped. */
export const ServerChoicesSchema = z.object({
  /** Models that are added later are ticked too. */
  all: z.boolean(),
  /** Of models that are added later. */
  visibility: VisibilitySchema,
  models: z.array(ModelChoiceSchema),
  aliases: z.array(AliasSchema),
})
/** What was chosen for a server. */
export type ServerChoices = z.output<typeof ServerChoicesSchema>
