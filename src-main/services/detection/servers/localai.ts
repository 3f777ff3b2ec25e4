import { z } from 'zod'
import type { Ask } from '../ask.js'
import type { ServerProfile } from './profile.js'

const SystemSchema = z.object({
  backends: z.array(z.string()).nullable(),
  loaded_models: z.array(z.object({ id: z.string() })).nullish(),
})
const VersionSchema = z.object({ version: z.string().max(100) })

const read = (ask: Ask) => ask.json('/system', SystemSchema)

/** LocalAI; its list says little, so it is suspected last. */
export const localai: ServerProfile = {
  kind: 'localai',
  healthPath: '/readyz',
  suspects: ({ path, models }) =>
    path === '/v1/models' && models.every(({ ownedBy }) => ownedBy === undefined || ownedBy === 'localai'),
  async identify(ask) {
    if ((await ask.text('/readyz')) === undefined) return undefined
    const system = await read(ask)
    const version = (await ask.json('/version', VersionSchema))?.version
    return system === undefined ? undefined : { version, details: new Map() }
  },
  async status(ask) {
    const loaded = (await read(ask))?.loaded_models
    return loaded == null ? {} : { loaded: new Set(loaded.map(({ id }) => id)) }
  },
}
