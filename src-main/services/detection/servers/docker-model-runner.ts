import { z } from 'zod'
import type { ServerProfile } from './profile.js'

const ModelsSchema = z.array(
  z.object({
    id: z.string(),
    tags: z.array(z.string()).nullable(),
    config: z
      .object({ quantization: z.string().optional(), parameters: z.string().optional(), size: z.string().optional() })
      .optional()
      .catch(undefined),
  }),
)
const RunningSchema = z.array(z.object({ model_name: z.string() }))

/** Docker Model Runner; its list stands below `/engines`. */
export const dockerModelRunner: ServerProfile = {
  kind: 'docker-model-runner',
  healthPath: '/engines/v1/models',
  suspects: ({ path }) => path === '/engines/v1/models',
  async identify(ask) {
    const models = await ask.json('/models', ModelsSchema)
    if (models === undefined) return undefined
    const details = models.flatMap(({ tags, config }) =>
      (tags ?? []).map((tag) => {
        const detail = {
          quantisation: config?.quantization ?? null,
          parameters: config?.parameters ?? null,
          sizeBytes: bytesOf(config?.size),
        }
        return [tag, detail] as const
      }),
    )
    return { version: undefined, details: new Map(details) }
  },
  async status(ask) {
    const running = await ask.json('/engines/ps', RunningSchema)
    return running === undefined ? {} : { loaded: new Set(running.map(({ model_name }) => model_name)) }
  },
}

const UNITS: Readonly<Record<string, number>> = {
  MB: 1e6,
  GB: 1e9,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** `256.35 MiB` in bytes. */
function bytesOf(text: string | undefined): number | null {
  const [, amount, unit = ''] = /^([\d.]+)\s*([A-Za-z]+)$/.exec(text ?? '') ?? []
  const factor = UNITS[unit]
  return amount === undefined || factor === undefined ? null : Math.round(Number(amount) * factor)
}
