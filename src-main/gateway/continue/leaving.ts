import { PassingListeners } from '../../base/listeners.js'
import type { NodeTable } from '../../node-table/index.js'

/** An answer that ends so soon after its provider said that it leaves is better left where it is. */
const ENDS_SOON_MS = 1_000

/** Knows which providers are about to stop: one that withdraws its row finishes what ends within seconds, and cuts the rest. */
export class LeavingProviders {
  readonly #waiting = new Map<string, PassingListeners>()

  /** `table` tells of withdrawn rows for as long as the node runs. */
  constructor(table: Pick<NodeTable, 'subscribe'>) {
    table.subscribe((event) => {
      if (event.type !== 'row:removed' || event.reason !== 'withdrawn') return
      this.#waiting.get(event.peerId)?.notify()
    })
  }

  /** Calls `leave` when that peer is about to stop and its answer still runs a moment later; returns the way to stop waiting. */
  watch(peerId: string, leave: () => void): () => void {
    let timer: NodeJS.Timeout | undefined
    const listeners = this.#waiting.get(peerId) ?? new PassingListeners()
    this.#waiting.set(peerId, listeners)
    const remove = listeners.add(() => {
      timer ??= setTimeout(leave, ENDS_SOON_MS).unref()
    })
    return () => {
      clearTimeout(timer)
      remove()
      if (listeners.size === 0) this.#waiting.delete(peerId)
    }
  }
}
