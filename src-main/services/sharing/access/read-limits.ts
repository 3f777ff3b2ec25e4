import type { Limits } from '#shared/contract/limits.js'
import type { Settings } from '../../../config/settings.js'

/** The owner's limits as the settings in force have them. */
export function readLimits(settings: Readonly<Settings>): Limits {
  return {
    concurrent: settings['limits.concurrent'],
    queue: settings['limits.queue'],
    queueTimeMs: settings['limits.queue-time'],
    requestsPerMinute: settings['limits.requests-per-minute'],
    maxBodyBytes: settings['limits.max-body'],
    maxTokens: settings['limits.max-tokens'],
    allowedPeers: settings['limits.allow-peers'],
    blockedPeers: settings['limits.block-peers'],
  }
}
