import { standsInDht } from '../../../src-main/node-table/find/popular.js'
import { leaseFor } from '../../../src-main/node-table/replicate/own-row.js'
import { COSTS } from './costs.js'
import type { Gossip, Publication } from './gossip.js'
import { BUDGET_BYTES_PER_S, type Network } from './network.js'

/** The default of `table.lease`. */
const MINIMUM_LEASE_MS = 600_000

/** What nodes say of themselves: rows by gossip, and provider records in the DHT. */
export class Publishing {
  readonly #network: Network
  readonly #gossip: Gossip
  /** What each node drew, to be one of those who stand for a popular model, or not. */
  readonly #draws: Float32Array
  readonly #lastAtMs: Float64Array

  constructor(network: Network, gossip: Gossip) {
    this.#network = network
    this.#gossip = gossip
    const { size } = network.population
    this.#draws = Float32Array.from({ length: size }, () => network.random())
    this.#lastAtMs = new Float64Array(size)
  }

  /** Gossips a node's row, or its withdrawal. Returns the lease that was asked for. */
  row(node: number, now: number, isWithdrawal: boolean): number {
    const network = this.#network
    const { population, scenario, observers, counted } = network
    const options = { minimumMs: MINIMUM_LEASE_MS, budgetBytesPerS: BUDGET_BYTES_PER_S }
    const isPartial = network.isPartial(node)
    const leaseMs = isWithdrawal ? 0 : leaseFor(network.rowsOf(node), { ...options, isPartial })
    const offers = (population.models[node]?.length ?? 0) > 0
    const rowBytes = scenario.oneMachineMs !== undefined ? COSTS.benchRowBytes : COSTS.rowBytes
    const bytes = isWithdrawal ? COSTS.withdrawalBytes : offers ? rowBytes : COSTS.emptyRowBytes
    const atMs = Math.max(Math.floor(now), (this.#lastAtMs[node] ?? 0) + 1)
    this.#lastAtMs[node] = atMs
    const kind = offers ? 'row' : 'nothing'
    const publication: Publication = { owner: node, kind, bytes, leaseMs, atMs, isWithdrawal }
    observers.take(node, publication, 'asked', node)
    const reached = this.#gossip.publish(publication)
    network.clock.atMs = now
    if (!isWithdrawal) {
      counted.publications += 1
      counted.reached += reached
    }
    return leaseMs
  }

  /** How long until a row that was signed just now is renewed, on average. */
  renewsWithinMs(node: number): number {
    const options = { minimumMs: MINIMUM_LEASE_MS, budgetBytesPerS: BUDGET_BYTES_PER_S }
    return 0.45 * leaseFor(this.#network.rowsOf(node), options)
  }

  /** Publishes what a node offers in the DHT, as far as it is not one of many. */
  records(node: number, now: number): void {
    const network = this.#network
    const view = network.observers.view(node) ?? network.observers.any(network.random)
    for (const model of network.population.models[node] ?? []) {
      const providers = view?.offers.providers('llm', `model=m${String(model)}`).size ?? 0
      const stands = standsInDht(this.#draws[node] ?? 0, providers, network.isPartial(node))
      if (stands) network.dht.publish(node, model, now)
    }
  }
}
