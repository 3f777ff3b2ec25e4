/**
 * Calls `onOver` once `ms` have passed and what came by then was read. On a machine that is overloaded the event loop
 * may stand for seconds; a plain timer is then called before the answer that has lain there all the time. Returns the
 * way to call it off. Keeps no process alive.
 */
export function patientTimeout(onOver: () => void, ms: number): () => void {
  let lastLook: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    // Between timers and immediates the loop reads whatever has come.
    lastLook = setImmediate(onOver)
  }, ms).unref()
  return () => {
    clearTimeout(timer)
    clearImmediate(lastLook)
  }
}
