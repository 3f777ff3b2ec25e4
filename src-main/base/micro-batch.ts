/** What waits for each other at most. */
const MAX_WAITING = 16

let waiting: (() => void)[] = []
let isScheduled = false

/**
 * Does `work` when all that has come in with this turn of the event loop was looked at, or {@link MAX_WAITING} are
 * waiting. For writes to other processes: the first one wakes its reader, which is most of what a write costs, and those
 * right behind it find it awake. What `work` throws is nobody's to catch, and keeps no other from being done.
 */
export function inMicroBatch(work: () => void): void {
  waiting.push(work)
  if (waiting.length >= MAX_WAITING) doAll()
  else if (!isScheduled) {
    isScheduled = true
    setImmediate(onBatchDue)
  }
}

function onBatchDue(): void {
  isScheduled = false
  doAll()
}

function doAll(): void {
  const all = waiting
  waiting = []
  let begun = 0
  try {
    for (const work of all) {
      begun += 1
      work()
    }
  } finally {
    for (const work of all.slice(begun)) inMicroBatch(work)
  }
}
