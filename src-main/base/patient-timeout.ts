/**
 * Calls `onOver` once `ms` have passed and the loop has read what came by then. On an overloaded machine the event loop may
 * stand still for seconds, and a plain timer then fires before an answer that has already arrived is read. Returns the way to
 * call it off. Keeps no process alive.
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
