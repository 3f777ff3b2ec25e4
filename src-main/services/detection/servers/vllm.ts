import { z } from 'zod'
import { gauge, isOwnedBy, loadStatus, type ServerProfile } from './profile.js'

/** What `/version` answers, also where a key is wanted for the rest. */
export const VllmVersionSchema = z.object({ version: z.string().max(100) })

/** vLLM. */
export const vllm: ServerProfile = {
  kind: 'vllm',
  healthPath: '/health',
  suspects: (list) => isOwnedBy(list, 'vllm'),
  async identify(ask) {
    const answer = await ask.json('/version', VllmVersionSchema)
    return answer === undefined ? undefined : { version: answer.version, details: new Map() }
  },
  async status(ask) {
    const metrics = (await ask.text('/metrics')) ?? ''
    return loadStatus(gauge(metrics, 'vllm:num_requests_running'), gauge(metrics, 'vllm:num_requests_waiting'))
  },
}
