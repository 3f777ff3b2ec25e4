import { z } from 'zod'
import { defineCall, defineListFeed, NoInputSchema } from '../define.js'
import { LIST_FEED_KEYS } from '../list-feeds.js'
import { VisibilitySchema } from '../sharing/visibility.js'

/** How busy a provider is, as it said itself in the last half minute. */
const ProviderLoadSchema = z.object({
  /** Requests it would take at once; null where it sets no limit. */
  slotsTotal: z.number().nullable(),
  /** Of those, how many are free; null where it sets no limit. */
  slotsFree: z.number().nullable(),
  /** Requests that wait or run there. */
  queueLength: z.number(),
  /** It takes no requests at the moment. */
  paused: z.boolean(),
})
/** A provider’s load in requests. */
export type ProviderLoad = z.output<typeof ProviderLoadSchema>

/** A peer that offers a model. */
const ModelProviderSchema = z.object({
  peerId: z.string(),
  self: z.boolean(),
  connected: z.boolean(),
  /** The person trusts this peer; true of this node. */
  trusted: z.boolean(),
  /** Who may use it there: `trusted` where the peer tells it to those it trusts alone. */
  visibility: VisibilitySchema,
  /** It is a provider of the Go implementation’s network: what it offers stands in no signed table. Else absent. */
  unsigned: z.literal(true).optional(),
  /** Null where it was not asked lately or does not tell. */
  load: ProviderLoadSchema.nullable(),
  /** The first 16 hexadecimal digits of the model's file, where the provider says them. */
  digest: z.string().optional(),
})

/** A peer, or this node, that offers a model. */
export type ModelProvider = z.output<typeof ModelProviderSchema>

/** A model that can be used through this node's gateway. */
const ModelViewSchema = z.object({
  id: z.string(),
  providers: z.array(ModelProviderSchema),
  /** A server of this machine has it. */
  local: z.boolean(),
  /** Peers can use it from this machine: everyone, or those you trust. */
  shared: z.boolean(),
  /** Who may use it from this machine; null where no server of this machine has it. */
  visibility: VisibilitySchema.nullable(),
  /** Tokens, where a server told. */
  contextLength: z.number().optional(),
  /** What it is for, where a server told. */
  kind: z.string().optional(),
  /** `8.0B` */
  parameters: z.string().optional(),
  /** `Q4_K_M` */
  quantization: z.string().optional(),
  /** Bytes on the disk of its server. */
  sizeBytes: z.number().optional(),
  /** What it can do besides answering: `tools`, `vision`, `thinking`. */
  capabilities: z.array(z.string()).readonly().optional(),
  /** Local servers that have it, by the id of their service. */
  servers: z.array(z.string()),
})
/** A model with its providers; context in tokens. */
export type ModelView = z.output<typeof ModelViewSchema>

/** Calls about the models that can be used now. */
export const modelsCalls = {
  'models.list': defineCall('Models that can be used now, through the whole network.', {
    input: NoInputSchema,
    output: z.array(ModelViewSchema),
  }),
}

/** The feed of usable models, keyed by model id. */
export const modelsFeeds = {
  models: defineListFeed('The same as models.list, as it changes.', ModelViewSchema, LIST_FEED_KEYS.models),
}
