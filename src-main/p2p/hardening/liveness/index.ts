import type { Connection } from '@libp2p/interface'

/** Watches connections while somebody waits for what comes over them, and cuts those whose other end is gone. */
export interface LifeWatch {
  /**
   * Watches what `inUse` lists from the next {@link LifeWatch.wake} on, for as long as it lists anything; returns the way
   * to stop. A connection through a relay brings that to its relay with it.
   */
  follow(inUse: () => Iterable<Connection>): () => void
  /** Something may be in use now. Costs next to nothing. */
  wake(): void
  /** Something asked over this connection was not answered: it has to give a sign of life now. */
  doubt(connection: Connection): void
}

export { createLifeWatch } from './life-watch.js'
export { silenceBehind, SilentConnectionError } from './silent-connection.js'
