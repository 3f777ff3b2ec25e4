import { z } from 'zod'
import { gauge, loadStatus, type ServerProfile } from './profile.js'

const InfoSchema = z.object({
  model_id: z.string(),
  max_concurrent_requests: z.number(),
  max_total_tokens: z.number().positive().optional(),
  version: z.string().max(100),
})

/** Text Generation Inference. Its `/health` may generate a token, so `/info` is asked in its place. */
export const tgi: ServerProfile = {
  kind: 'tgi',
  healthPath: '/info',
  suspects: ({ path, models }) => path === '/v1/models' && models.some(({ id, ownedBy }) => ownedBy === id),
  async identify(ask) {
    const info = await ask.json('/info', InfoSchema)
    if (info === undefined) return undefined
    const contextLength = info.max_total_tokens ?? null
    return { version: info.version, details: new Map([[info.model_id, { contextLength }]]) }
  },
  async status(ask) {
    const metrics = (await ask.text('/metrics')) ?? ''
    return loadStatus(gauge(metrics, 'tgi_batch_current_size'), gauge(metrics, 'tgi_queue_size'))
  },
}
