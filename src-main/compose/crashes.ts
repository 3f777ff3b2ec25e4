import { isOutOfDescriptors } from '../base/system-error.js'
import type { Log } from '../logging/index.js'

/** After a crash the process can't be trusted for long, ms. */
export const CRASH_GRACE_MS = 2_000

/**
 * What happens to errors that no code has caught. A rejected promise is logged. So is one file or socket that could not
 * be opened because there was no descriptor for it (`EMFILE`, `ENFILE`), from a library's timer or event: nothing was
 * begun, and once descriptors are free again all goes on. After any other error the process is in an unknown state:
 * it is logged with `sentence`, and `onCrash`, called once, ends it.
 */
export function handleCrashes(
  needs: { log: Log; onCrash: (error: Error) => void },
  options: { sentence: string },
): void {
  const { log, onCrash } = needs
  let ending = false
  process.on('unhandledRejection', (error) => log.error('a rejected promise was not handled', { error }))
  process.on('uncaughtException', (error) => {
    if (isOutOfDescriptors(error)) {
      log.error('a file or socket could not be opened, for too many are open', { error })
      return
    }
    log.error(options.sentence, { error })
    if (ending) return
    ending = true
    onCrash(error)
  })
}
