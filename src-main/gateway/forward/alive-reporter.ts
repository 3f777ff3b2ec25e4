/** While an answer flows, its provider is reported alive this often. */
export const ALIVE_EVERY_MS = 5_000

/**
 * To be called with each piece of an answer: calls `report` at most every {@link ALIVE_EVERY_MS}. A server that sends is
 * alive, however long its answer takes; a health check it is too busy for must not end that.
 */
export function createAliveReporter(report: () => void, now: () => number = () => performance.now()): () => void {
  let reportedAt = now()
  return () => {
    const at = now()
    if (at - reportedAt < ALIVE_EVERY_MS) return
    reportedAt = at
    report()
  }
}
