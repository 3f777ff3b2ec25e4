import { z } from 'zod'
import { defineCall, defineListFeed, NoInputSchema } from '../define.js'
import { LIST_FEED_KEYS } from '../list-feeds.js'
import { ServerKindSchema, TargetInputSchema } from './detection.js'
import { AliasSchema, ModelChoiceSchema, VisibilitySchema } from './visibility.js'

/** A model by the server's own id or the published one. */
const modelId = z.string().min(1).max(1024)

/** What the owner shares of one server; kept across restarts. */
const ShareSchema = z.object({
  /** Id of the service it is registered as. */
  id: z.string(),
  address: z.string(),
  host: z.string(),
  port: z.number().int(),
  kind: ServerKindSchema,
  /** For a person: `Ollama`. */
  name: z.string(),
  status: z.enum(['starting', 'connected', 'down']),
  /** Why it is not connected, in words for a person; null while it is. */
  problem: z.string().nullable(),
  /** The ticked models by the server's own id; `all` also takes those that are added later. */
  models: z.union([z.literal('all'), z.array(z.string())]),
  /** Of models that are added later. */
  visibility: VisibilitySchema,
  /** What was chosen for each model, un-ticked ones and those the server no longer has included. */
  choices: z.array(ModelChoiceSchema),
  aliases: z.array(AliasSchema),
  /** The names it can be asked by now, and who may use each. */
  names: z.array(z.object({ name: z.string(), visibility: VisibilitySchema })),
  /** Those of them that everyone may use: the network sees them. */
  published: z.array(z.string()),
  /** A key for the server is kept. */
  hasKey: z.boolean(),
  /** Unix milliseconds. */
  sharedAtMs: z.number(),
})
/** What is shared of one server; the time in Unix milliseconds. */
export type ShareView = z.output<typeof ShareSchema>

/** Calls that share a server, change what is shared and stop it. */
export const sharesCalls = {
  'shares.list': defineCall('What is shared of this machine’s servers.', {
    input: NoInputSchema,
    output: z.array(ShareSchema),
  }),
  'shares.add': defineCall('Shares the ticked models of a server, or changes what is shared of it.', {
    input: TargetInputSchema.extend({
      models: z.union([z.literal('all'), z.array(modelId).min(1).max(200)]),
      /** Un-ticked although `all` are shared. */
      except: z.array(modelId).max(200).default([]),
      /**
       * Of each ticked model that has none of its own in `visibilities`, and of those that are added later. Absent: what was
       * chosen before, and `me` for what is new.
       */
      visibility: VisibilitySchema.optional(),
      visibilities: z
        .array(z.strictObject({ model: modelId, visibility: VisibilitySchema }))
        .max(200)
        .default([]),
      aliases: z.array(AliasSchema).max(50).default([]),
    }),
    output: ShareSchema,
  }),
  'shares.setVisibility': defineCall('Says who may use one model of a share, or those that are added later.', {
    input: z.strictObject({
      id: z.string().max(300),
      /** Absent: the models that are added later. */
      model: modelId.optional(),
      visibility: VisibilitySchema,
    }),
    output: ShareSchema,
  }),
  'shares.remove': defineCall(
    'Stops sharing a server; a kept key is forgotten, what was chosen for its models is kept.',
    {
      input: z.strictObject({ id: z.string().max(300) }),
      output: z.object({
        removed: z.boolean(),
        /** It will be back after the next start: it stands in the settings, or its file could not be written. */
        untilRestart: z.boolean(),
        /** What could not be written, in a sentence for the person; null where all went well. */
        problem: z.string().nullable(),
      }),
    },
  ),
}

/** The feed of shares, keyed by service id. */
export const sharesFeeds = {
  shares: defineListFeed('The same as shares.list, as it changes.', ShareSchema, LIST_FEED_KEYS.shares),
}
