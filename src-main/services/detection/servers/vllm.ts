import { z } from 'zod'
import { gauge, isOwnedBy, loadStatus, type ServerProfile } from './profile.js'

export const VllmVersionSchema = z.object({ version: z.string().max(100) })

export const vllm: ServerProfile = {
  kind: 'vllm',
  healthPath: '/health',
  suspects: (list) => isOwnedBy(list, 'vllm'),
  async identify(ask) {
    const told = await ask.json('/version', VllmVersionSchema)
    return told === undefined ? undefined : { version: told.version, details: new Map() }
  },
  async status(ask) {
    const metrics = (await ask.text('/metrics')) ?? ''
    return loadStatus(gauge(metrics, 'vllm:num_requests_running'), gauge(metrics, 'vllm:num_requests_waiting'))
  },
}
