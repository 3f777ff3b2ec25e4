import type { GoNetworkView } from '#shared/contract/network/go-network.js'
import type { Clock, MonotonicClock } from '../base/clock.js'
import type { Service } from '../base/lifecycle.js'
import type { Log } from '../logging/index.js'
import type { NodeTable } from '../node-table/index.js'
import type { Host } from '../p2p/index.js'

/** How far this node takes part in a network of the Go implementation: not at all, as its user, or as a provider too. */
export type GoNetworkMode = GoNetworkView['mode'] | 'off'

/** The network of the Go implementation, as far as this node takes part in it. */
export interface GoNetwork {
  /** Finds providers there; after the host, before whoever looks for providers. */
  readonly reading: Service
  /** Offers there what is shared with everyone; behind the peer listener. Its stop says good-bye. */
  readonly publishing: Service
  /**
   * The node table with those providers beside it, for whoever looks for providers. `off`: the table itself. Nothing of
   * that network is in the table, is stored or told to others.
   */
  readonly table: NodeTable
  /** A provider of that network: what it offers stands in an unsigned list. */
  isProvider(peerId: string): boolean
  /** What a person may want to know of it; undefined while it is off. */
  view(): GoNetworkView | undefined
}

/** What it stands on. */
export interface GoNetworkNeeds {
  host: Host
  /** This node's own, of signed rows. */
  table: NodeTable
  /** What everyone may use of this node now, and when that changes. */
  shared: { models(): readonly string[]; subscribe(listener: () => void): () => void }
  clock: Clock
  monotonic: MonotonicClock
  log: Log
}

export { createGoNetwork, goHostOptions } from './go-network.js'
