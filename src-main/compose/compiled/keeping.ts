import { underFirstFlags } from '../../base/memory/garbage-collection.js'
import { COMPILED, type Compiled } from './whole-program.js'

/** By then the first connections and tables are made. A node that is killed never comes to its end. */
const FIRST_MS = 10_000
/** After that long a node has done what it does with every request, and V8 has dropped nothing yet that a start needs. */
const LAST_MS = 60_000

/**
 * Keeps what V8 has compiled of a node that has just started: some seconds later, when no request has to wait for it, and
 * a minute later or at its end with what requests needed, where there were any. Later it would lack what a start needs: V8
 * drops code that has not run for some collections. Returns what the node does at its end.
 */
export function keepCompiled(needs: {
  keep(compiled: Compiled): void
  /** Requests that run now. */
  running(): number
  hasServed(): boolean
}): () => void {
  const now = (): void => underFirstFlags(() => needs.keep(needs.hasServed() ? COMPILED.requests : COMPILED.start))
  let isOver = false
  const finish = (): void => {
    clearInterval(first)
    clearTimeout(last)
    if (!isOver) now()
    isOver = true
  }
  const first = setInterval(() => {
    if (needs.running() > 0) return
    clearInterval(first)
    now()
  }, FIRST_MS)
  const last = setTimeout(finish, LAST_MS)
  // Nothing waits for them.
  first.unref()
  last.unref()
  return finish
}
