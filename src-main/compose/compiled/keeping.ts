import { underFirstFlags } from '../../base/memory.js'
import { COMPILED, type Compiled } from './whole-program.js'

/** After that long a node has done what it does with every request, and V8 has dropped nothing yet that a start needs. */
const LAST_MS = 60_000

/** When what V8 has compiled is kept, for a node that has just started. */
export interface Keeping {
  /** Keeps it now. */
  now(): void
  /** Keeps it for the last time, where it is early enough. */
  stop(): void
}

/**
 * Keeps what V8 has compiled, a minute after the start with what requests needed, where there were any. Later it would
 * lack what a start needs: V8 drops code that has not run for some collections.
 */
export function keepCompiled(needs: { keep(compiled: Compiled): void; hasServed(): boolean }): Keeping {
  const now = (): void => underFirstFlags(() => needs.keep(needs.hasServed() ? COMPILED.requests : COMPILED.start))
  let isOver = false
  const finish = (): void => {
    if (!isOver) now()
    isOver = true
  }
  // Nothing waits for it.
  const timer = setTimeout(finish, LAST_MS).unref()
  return {
    now,
    stop() {
      clearTimeout(timer)
      finish()
    },
  }
}
