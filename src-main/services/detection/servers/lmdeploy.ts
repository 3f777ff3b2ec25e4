import { z } from 'zod'
import { isOwnedBy, type ServerProfile } from './profile.js'

const SleepSchema = z.object({ is_sleeping: z.boolean() })

/** LMDeploy. */
export const lmdeploy: ServerProfile = {
  kind: 'lmdeploy',
  healthPath: '/health',
  suspects: (list) => isOwnedBy(list, 'lmdeploy'),
  async identify(ask) {
    const answer = await ask.json('/is_sleeping', SleepSchema)
    return answer === undefined ? undefined : { version: undefined, details: new Map() }
  },
  async status(ask) {
    const answer = await ask.json('/is_sleeping', SleepSchema)
    return answer?.is_sleeping === true ? { state: 'asleep' } : {}
  },
}
