import { z } from 'zod'
import type { Ask } from '../ask.js'
import { isOwnedBy, NAMELESS, type ServerProfile } from './profile.js'

const DetailsSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      state: z.string(),
      quantization: z.string().optional(),
      max_context_length: z.number().positive().optional(),
      loaded_context_length: z.number().positive().optional(),
    }),
  ),
})

const read = (ask: Ask) => ask.json('/api/v0/models', DetailsSchema)

/** LM Studio. Answers 200 to every path and logs a health probe as a mistake: only its lists are asked. */
export const lmStudio: ServerProfile = {
  kind: 'lm-studio',
  healthPath: '/v1/models',
  suspects: (list) =>
    isOwnedBy(list, 'organization_owner') && list.models.every(({ created }) => created === undefined),
  async identify(ask, list) {
    const answer = await read(ask)
    if (answer === undefined) return list.headers['x-powered-by'] === 'Express' ? NAMELESS : undefined
    const details = answer.data.map((model) => {
      const contextLength = model.loaded_context_length ?? model.max_context_length ?? null
      return [model.id, { contextLength, quantisation: model.quantization ?? null }] as const
    })
    return { version: undefined, details: new Map(details) }
  },
  async status(ask) {
    const answer = await read(ask)
    if (answer === undefined) return {}
    return { loaded: new Set(answer.data.filter(({ state }) => state === 'loaded').map(({ id }) => id)) }
  },
}
