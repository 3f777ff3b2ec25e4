import { z } from 'zod'
import { defineCall, defineListFeed, NoInputSchema } from './define.js'

/** A peer that offers a model. */
export const ModelProviderSchema = z.object({
  peerId: z.string(),
  self: z.boolean(),
  connected: z.boolean(),
})

/** A model that can be used through this node's gateway. */
export const ModelViewSchema = z.object({
  id: z.string(),
  providers: z.array(ModelProviderSchema),
  /** A server of this machine has it. */
  local: z.boolean(),
  /** Peers can use it from this machine. */
  shared: z.boolean(),
  /** Tokens, where a server told. */
  contextLength: z.number().optional(),
  /** Local servers that have it, by the id of their service. */
  servers: z.array(z.string()),
})
export type ModelView = z.output<typeof ModelViewSchema>

export const modelsCalls = {
  'models.list': defineCall('Models that can be used now, through the whole network.', {
    input: NoInputSchema,
    output: z.array(ModelViewSchema),
  }),
}

export const modelsFeeds = {
  models: defineListFeed('The same as models.list, as it changes.', ModelViewSchema, (model) => model.id),
}
