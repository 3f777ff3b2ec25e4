import type { NodeTable } from '../../node-table/index.js'

/** An answer that ends so soon after its provider said that it leaves is better left where it is. */
const ENDS_SOON_MS = 1_000

/** Knows which providers are about to stop: one that withdraws its row finishes what ends within seconds, and cuts the rest. */
export class LeavingProviders {
  readonly #waiting = new Map<string, Set<() => void>>()

  /** `table` tells of withdrawn rows for as long as the node runs. */
  constructor(table: Pick<NodeTable, 'subscribe'>) {
    table.subscribe((event) => {
      if (event.type !== 'row:removed' || event.reason !== 'withdrawn') return
      for (const listener of [...(this.#waiting.get(event.peerId) ?? [])]) listener()
    })
  }

  /** Calls `leave` when that peer is about to stop and its answer still runs a moment later; returns the way to stop waiting. */
  watch(peerId: string, leave: () => void): () => void {
    let timer: NodeJS.Timeout | undefined
    const listener = (): void => {
      timer ??= setTimeout(leave, ENDS_SOON_MS).unref()
    }
    const listeners = this.#waiting.get(peerId) ?? new Set()
    this.#waiting.set(peerId, listeners.add(listener))
    return () => {
      clearTimeout(timer)
      listeners.delete(listener)
      if (listeners.size === 0) this.#waiting.delete(peerId)
    }
  }
}
