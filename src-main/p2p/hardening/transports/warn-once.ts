import type { Log } from '../../../logging/index.js'

/** Says once per transport that its internals are not those a tuning was written for, so that it does nothing. */
export function createWarnOnce(needs: { log: Log }, options: { tuning: string }): () => void {
  let warned = false
  return () => {
    if (warned) return
    warned = true
    needs.log.warn('transport tuning does not fit this version of the library and is off', { tuning: options.tuning })
  }
}
