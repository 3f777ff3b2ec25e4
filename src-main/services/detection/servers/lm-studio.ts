import { z } from 'zod'
import type { Ask } from '../ask.js'
import { isOwnedBy, NAMELESS, type ServerProfile, type ToldModel } from './profile.js'

const label = z.string().max(200).optional().catch(undefined)
const positive = z.number().positive().optional().catch(undefined)

const DetailsSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      state: z.string(),
      quantization: label,
      max_context_length: positive,
      loaded_context_length: positive,
      type: label,
      arch: label,
      compatibility_type: label,
      /** `tool_use`; older versions say nothing of it. */
      capabilities: z.array(z.string().max(40)).max(16).optional().catch(undefined),
    }),
  ),
})

/** What an answer to `/api/v0/models` tells of each model, by id; undefined where it is none. */
export function readDetails(value: unknown): ReadonlyMap<string, ToldModel> | undefined {
  const details = DetailsSchema.safeParse(value).data
  return details && new Map(details.data.map((model) => [model.id, toTold(model)]))
}

function toTold(model: z.output<typeof DetailsSchema>['data'][number]): ToldModel {
  return {
    contextLength: model.loaded_context_length ?? model.max_context_length,
    facts: {
      ...{ quantization: model.quantization, family: model.arch, format: model.compatibility_type },
      capabilities: capabilitiesOf(model),
    },
  }
}

/** In Ollama's words. A model that can see is not said to lack tools by a version that does not speak of them. */
function capabilitiesOf({ type, capabilities }: z.output<typeof DetailsSchema>['data'][number]): string[] | undefined {
  if (type === 'embeddings') return ['embedding']
  if (type !== 'llm' && type !== 'vlm') return undefined
  const canSee = type === 'vlm'
  const hasTools = capabilities?.includes('tool_use') ?? canSee
  return ['completion', ...(hasTools ? ['tools'] : []), ...(canSee ? ['vision'] : [])]
}

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
