import { z } from 'zod'
import type { Ask } from '../ask.js'
import { isOwnedBy, type ServerProfile } from './profile.js'

const HealthSchema = z
  .object({
    status: z.string(),
    version: z.string().max(100).optional(),
    model_loaded: z.string().nullish(),
    all_models_loaded: z.array(z.object({ model_name: z.string() })).optional(),
  })
  .refine((health) => health.model_loaded !== undefined || health.all_models_loaded !== undefined)

const read = (ask: Ask) => ask.json('/api/v1/health', HealthSchema)

/** Lemonade; its list may stand below `/api`. */
export const lemonade: ServerProfile = {
  kind: 'lemonade',
  healthPath: '/api/v1/health',
  suspects: (list) => isOwnedBy(list, 'lemonade') || list.path === '/api/v1/models',
  async identify(ask) {
    const health = await read(ask)
    return health === undefined ? undefined : { version: health.version, details: new Map() }
  },
  async status(ask) {
    const health = await read(ask)
    if (health === undefined) return {}
    const all = health.all_models_loaded?.map(({ model_name }) => model_name) ?? []
    return { loaded: new Set(health.model_loaded == null ? all : [...all, health.model_loaded]) }
  },
}
