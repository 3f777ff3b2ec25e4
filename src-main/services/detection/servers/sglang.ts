import { z } from 'zod'
import { gauge, isOwnedBy, loadStatus, type ServerProfile } from './profile.js'

const InfoSchema = z.object({
  version: z.string().max(100).optional(),
  model_path: z.string(),
})

/** SGLang. Its `/health` may generate a token, so it is never asked. */
export const sglang: ServerProfile = {
  kind: 'sglang',
  healthPath: '/get_model_info',
  suspects: (list) => isOwnedBy(list, 'sglang'),
  async identify(ask) {
    const info = (await ask.json('/get_server_info', InfoSchema)) ?? (await ask.json('/server_info', InfoSchema))
    return info === undefined ? undefined : { version: info.version, details: new Map() }
  },
  async status(ask) {
    const metrics = (await ask.text('/metrics')) ?? ''
    return loadStatus(gauge(metrics, 'sglang:num_running_reqs'), gauge(metrics, 'sglang:num_queue_reqs'))
  },
}
