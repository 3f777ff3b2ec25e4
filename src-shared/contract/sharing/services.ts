import { z } from 'zod'
import { defineCall, defineListFeed, NoInputSchema } from '../define.js'
import { LIST_FEED_KEYS } from '../list-feeds.js'
import { VisibilitySchema } from './visibility.js'

/** A server of this machine. */
const ServiceViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** `host:port`; never leaves this machine. */
  address: z.string(),
  status: z.enum(['starting', 'connected', 'down']),
  /** Why it is not connected, in words for a person; null while it is. */
  problem: z.string().nullable(),
  /** True when peers can use something of it: everyone, or those you trust. */
  published: z.boolean(),
  /** Who may use what has no visibility of its own. */
  visibility: VisibilitySchema,
  /** `contextLength` in tokens. */
  models: z.array(z.object({ id: z.string(), contextLength: z.number().optional(), visibility: VisibilitySchema })),
  identityGroups: z.array(z.string()),
  /** `METHOD /path` patterns that peers may reach. */
  sharedPaths: z.array(z.string()),
})
/** A registered server of this machine with its models and shared paths. */
export type ServiceView = z.output<typeof ServiceViewSchema>

/** Calls about the registered servers of this machine. */
export const servicesCalls = {
  'services.list': defineCall('The servers of this machine that this node knows.', {
    input: NoInputSchema,
    output: z.array(ServiceViewSchema),
  }),
}

/** The feed of registered servers, keyed by service id. */
export const servicesFeeds = {
  services: defineListFeed('The same as services.list, as it changes.', ServiceViewSchema, LIST_FEED_KEYS.services),
}
