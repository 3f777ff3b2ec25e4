import { z } from 'zod'
import type { ServerProfile } from './profile.js'

const TagsSchema = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      digest: z.string().min(1),
      size: z.number().optional(),
      details: z
        .object({ parameter_size: z.string().optional(), quantization_level: z.string().optional() })
        .nullish()
        .catch(undefined),
    }),
  ),
})
const VersionSchema = z.object({ version: z.string().max(100) })
const RunningSchema = z.object({ models: z.array(z.object({ name: z.string() })) })

/** Ollama: `/api/tags` with digests; KoboldCpp imitates the rest and is recognised before. */
export const ollama: ServerProfile = {
  kind: 'ollama',
  healthPath: '/',
  suspects: ({ path, models }) =>
    path === '/v1/models' &&
    (models.some(({ ownedBy }) => ownedBy === 'library') || models.every(({ id }) => id.includes(':'))),
  async identify(ask, { models }) {
    if (models.length === 0 && (await ask.text('/'))?.includes('Ollama is running') !== true) return undefined
    const tags = models.length === 0 ? { models: [] } : await ask.json('/api/tags', TagsSchema)
    if (tags === undefined) return undefined
    const version = (await ask.json('/api/version', VersionSchema))?.version
    const details = tags.models.map(
      ({ name, size, details: answer }) =>
        [
          name,
          {
            sizeBytes: size ?? null,
            parameters: answer?.parameter_size ?? null,
            quantisation: answer?.quantization_level ?? null,
          },
        ] as const,
    )
    return { version, details: new Map(details) }
  },
  async status(ask) {
    const running = await ask.json('/api/ps', RunningSchema)
    return running === undefined ? {} : { loaded: new Set(running.models.map(({ name }) => name)) }
  },
}
