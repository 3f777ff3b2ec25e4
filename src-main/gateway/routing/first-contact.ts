import { within } from '../../base/within.js'
import type { NodeTable } from '../../node-table/index.js'

/** Peers asked at once, and after how many ms twice as many are while none has answered. */
const AT_FIRST = 4
const DOUBLE_EVERY_MS = 100
const AT_MOST = 256
/** No request waits longer for a peer that was never met. */
const WITHIN_MS = 5_000

/**
 * Asks peers that may not be there for their signed status, until one of them says that it has room; true then. Most are
 * there, so few are asked at first; where none answers soon, ever more are. What they answer counts for whatever is
 * asked next. Never rejects.
 */
export async function firstContact(
  status: Pick<NodeTable['status'], 'refresh'>,
  peerIds: readonly string[],
): Promise<boolean> {
  const waiting = peerIds.values()
  const met = Promise.withResolvers<boolean>()
  let isOver = false
  let lanes = 0

  async function ask(): Promise<void> {
    for (const peerId of waiting) {
      const outcome = await status.refresh(peerId)
      if (isOver) return
      const isThere = outcome.kind === 'unsupported' || (outcome.kind === 'answered' && hasRoom(outcome.status))
      if (isThere) met.resolve(true)
    }
    lanes -= 1
    if (lanes === 0) met.resolve(false)
  }

  function addLanes(count: number): void {
    for (let added = 0; added < count && lanes < Math.min(AT_MOST, peerIds.length); added += 1) {
      lanes += 1
      void ask()
    }
  }

  addLanes(AT_FIRST)
  if (lanes === 0) return false
  const widening = setInterval(() => addLanes(lanes), DOUBLE_EVERY_MS)
  try {
    return await within(met.promise, WITHIN_MS, () => false)
  } finally {
    isOver = true
    clearInterval(widening)
  }
}

function hasRoom(status: { paused: string | null; slotsFree: number | null }): boolean {
  return status.paused === null && status.slotsFree !== 0
}
