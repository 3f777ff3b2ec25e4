import { z } from 'zod'
import type { ServerFacts } from '../../index.js'
import type { ServerProfile } from './profile.js'

const text = z.string().max(200).optional().catch(undefined)
const positive = z.number().positive().optional().catch(undefined)

/** `/api/tags` as of Ollama 0.33; older ones tell less. */
const TagsSchema = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      digest: z.string().min(1).max(200),
      size: positive,
      /** Of models that run at Ollama's company. */
      remote_host: text,
      remote_model: text,
      capabilities: z.array(z.string().max(40)).max(16).optional().catch(undefined),
      details: z
        .object({
          format: text,
          family: text,
          parameter_size: text,
          quantization_level: text,
          context_length: positive,
        })
        .nullish()
        .catch(undefined),
    }),
  ),
})

/** What an answer to `/api/tags` tells of each model, by name; undefined where it is none. */
export function readTags(value: unknown): ReadonlyMap<string, TaggedModel> | undefined {
  const tags = TagsSchema.safeParse(value).data
  return tags && new Map(tags.models.map((model) => [model.name, toTagged(model)]))
}

/** One model of `/api/tags`. */
export interface TaggedModel {
  isCloud: boolean
  /** Tokens. */
  contextLength: number | undefined
  facts: ServerFacts
}

function toTagged(model: z.output<typeof TagsSchema>['models'][number]): TaggedModel {
  const { digest, size, capabilities, details } = model
  return {
    isCloud: (model.remote_host ?? model.remote_model) !== undefined,
    contextLength: details?.context_length,
    facts: {
      ...{ parameters: details?.parameter_size, quantization: details?.quantization_level },
      ...{ family: details?.family, format: details?.format, sizeBytes: size, digest, capabilities },
    },
  }
}

/** The models that an answer to `/api/ps` shows in memory, each with the tokens it was loaded with. */
export function readRunning(value: unknown): [string, number][] {
  const running = RunningSchema.safeParse(value).data?.models ?? []
  return running.flatMap(({ name, context_length: tokens }) => (tokens === undefined ? [] : [[name, tokens]]))
}

const VersionSchema = z.object({ version: z.string().max(100) })
const RunningSchema = z.object({ models: z.array(z.object({ name: z.string(), context_length: positive })) })

/** Ollama: `/api/tags` with digests; KoboldCpp imitates the rest and is recognised before. */
export const ollama: ServerProfile = {
  kind: 'ollama',
  healthPath: '/',
  suspects: ({ path, models }) =>
    path === '/v1/models' &&
    (models.some(({ ownedBy }) => ownedBy === 'library') || models.every(({ id }) => id.includes(':'))),
  async identify(ask, { models }) {
    if (models.length === 0 && (await ask.text('/'))?.includes('Ollama is running') !== true) return undefined
    const tags =
      models.length === 0 ? new Map<string, TaggedModel>() : readTags(await ask.json('/api/tags', z.unknown()))
    if (tags === undefined) return undefined
    const version = (await ask.json('/api/version', VersionSchema))?.version
    const details = [...tags].map(([name, { facts, contextLength, isCloud }]) => {
      const { sizeBytes = null, parameters = null, quantization: quantisation = null } = facts
      return [
        name,
        { sizeBytes, parameters, quantisation, contextLength: contextLength ?? null, cloud: isCloud },
      ] as const
    })
    return { version, details: new Map(details) }
  },
  async status(ask) {
    const running = await ask.json('/api/ps', RunningSchema)
    return running === undefined ? {} : { loaded: new Set(running.models.map(({ name }) => name)) }
  },
}
