import { z } from 'zod'
import { isOwnedBy, loadStatus, type ServerProfile } from './profile.js'

const VersionSchema = z.object({ result: z.literal('KoboldCpp'), version: z.string().max(100) })
const PerfSchema = z.object({ idle: z.number(), queue: z.number() })

/** KoboldCpp; it imitates Ollama, so it is recognised first. */
export const koboldcpp: ServerProfile = {
  kind: 'koboldcpp',
  healthPath: '/api/extra/version',
  suspects: (list) => isOwnedBy(list, 'koboldcpp'),
  async identify(ask) {
    const answer = await ask.json('/api/extra/version', VersionSchema)
    return answer === undefined ? undefined : { version: answer.version, details: new Map() }
  },
  async status(ask) {
    const perf = await ask.json('/api/extra/perf', PerfSchema)
    return perf === undefined ? {} : loadStatus(perf.idle === 0 ? 1 : 0, perf.queue)
  },
}
