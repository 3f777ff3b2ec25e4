import type { Log } from '../../logging/index.js'
import type { Updater } from './updates.js'

/** How long the system may take to end this program after the installer was started. */
const HAND_OVER_MS = 60_000

/**
 * Lets the new version take over from this program, whose node has stopped. The process ends meanwhile; this returns
 * only when that failed.
 */
export async function handOver(needs: { updater: Updater; log: Log; limitMs?: number }): Promise<void> {
  const log = needs.log.forComponent('updates')
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error('The system did not end this program.')),
    needs.limitMs ?? HAND_OVER_MS,
  )
  try {
    await Promise.race([needs.updater.install(), late.promise])
  } catch (error) {
    log.error('the newer version could not be installed', { error })
  } finally {
    clearTimeout(timer)
  }
}
