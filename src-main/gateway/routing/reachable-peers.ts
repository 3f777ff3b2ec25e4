import type { PeerId } from '@libp2p/interface'
import type { Standing } from '#shared/contract/network/peers.js'
import type { Service } from '../../base/lifecycle.js'
import { Listeners } from '../../base/listeners.js'
import type { NodeTable, PeerStatusEvent, TableEvent } from '../../node-table/index.js'
import type { Host } from '../../p2p/index.js'
import type { ProviderHealth } from './provider-health.js'

/**
 * Which owners of rows are known to be there: connected at some time since their row came in, or heard in answer to a
 * question, and not found gone since. The others' rows may be made up; what they offer is not listed.
 */
export interface ReachablePeers extends Service {
  has(peerId: string): boolean
  /** How a peer stands with this node, whatever it offers. */
  standing(peerId: string): Standing
  /** Calls `listener` with each peer that becomes reachable or ceases to be; returns the way to stop. */
  subscribe(listener: (peerId: string) => void): () => void
}

/** What {@link createReachablePeers} works with. */
export interface ReachablePeersNeeds {
  host: Pick<Host, 'peerId' | 'isConnected' | 'libp2p'>
  table: Pick<NodeTable, 'rows' | 'get' | 'subscribe'> & { status: Pick<NodeTable['status'], 'subscribe'> }
  health: Pick<ProviderHealth, 'isRoutable' | 'isPaused'>
}

/** Follows the table and the host's connections; at most one entry a row. */
export function createReachablePeers(needs: ReachablePeersNeeds): ReachablePeers {
  return new FollowedPeers(needs)
}

class FollowedPeers implements ReachablePeers {
  readonly name = 'reachable-peers'
  readonly #host: ReachablePeersNeeds['host']
  readonly #table: ReachablePeersNeeds['table']
  readonly #health: ReachablePeersNeeds['health']
  readonly #proven = new Set<string>()
  readonly #listeners = new Listeners<[string]>()
  readonly #subscriptions: (() => void)[] = []

  constructor({ host, table, health }: ReachablePeersNeeds) {
    this.#host = host
    this.#table = table
    this.#health = health
  }

  start(): Promise<void> {
    this.#host.libp2p.addEventListener('peer:connect', this.#onConnect)
    this.#subscriptions.push(
      this.#table.subscribe((event) => this.#onRow(event)),
      this.#table.status.subscribe((event) => this.#onStatus(event)),
    )
    for (const { peerId } of this.#table.rows()) if (this.#host.isConnected(peerId)) this.#prove(peerId)
    return Promise.resolve()
  }

  stop(): Promise<void> {
    this.#host.libp2p.removeEventListener('peer:connect', this.#onConnect)
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe()
    return Promise.resolve()
  }

  has(peerId: string): boolean {
    return this.#proven.has(peerId)
  }

  standing(peerId: string): Standing {
    if (peerId === this.#host.peerId) return 'proven'
    if (this.#health.isPaused(peerId)) return 'away'
    if (!this.#health.isRoutable(peerId)) return 'doubtful'
    return this.#proven.has(peerId) || this.#host.isConnected(peerId) ? 'proven' : 'unproven'
  }

  subscribe(listener: (peerId: string) => void): () => void {
    return this.#listeners.add(listener)
  }

  #prove(peerId: string): void {
    if (this.#proven.has(peerId) || this.#table.get(peerId) === undefined) return
    this.#proven.add(peerId)
    this.#listeners.notify(peerId)
  }

  #disprove(peerId: string): void {
    if (this.#proven.delete(peerId)) this.#listeners.notify(peerId)
  }

  #onRow(event: TableEvent): void {
    if (event.type === 'row:removed') this.#disprove(event.peerId)
    else if (this.#host.isConnected(event.row.peerId)) this.#prove(event.row.peerId)
  }

  #onStatus({ peerId, outcome }: PeerStatusEvent): void {
    if (outcome.kind === 'answered' || outcome.kind === 'unsupported') this.#prove(peerId)
    else if (!this.#host.isConnected(peerId)) this.#disprove(peerId)
  }

  readonly #onConnect = (event: CustomEvent<PeerId>): void => this.#prove(event.detail.toString())
}
