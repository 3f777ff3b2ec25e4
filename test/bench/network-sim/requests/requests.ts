import { percentile } from '../../statistics.js'
import type { Network } from '../network.js'
import { drawModel } from '../population.js'
import { VirtualTimers } from '../virtual-timers.js'
import { Dialling } from './dialling.js'
import { Lookups } from './lookups.js'
import { type Outcome, Search } from './search.js'

/** A provider that came so long ago has published what it offers. */
const SETTLED_MS = 120_000
const FAILURES = ['nobody-named', 'nobody-there', 'liars'] as const

/** What became of the requests for one class of models. */
export interface RequestFigures {
  requests: number
  answered: number
  /** Until a provider said that it takes the request. */
  foundMs: { p50: number; p99: number }
  /** Sent to somebody who had gone since it answered, or had lied. */
  wrongFirst: number
  /** Of those for which the DHT was asked. */
  lookedUp: number
  /** Share of those for which nobody was found, by why. */
  failed?: Partial<Record<NonNullable<Outcome['failure']>, number>>
}

/** Requests by nodes whose tables are simulated: the program's own search, in virtual time, over the network at rest. */
export class Requests {
  readonly #network: Network
  readonly #timers: VirtualTimers
  readonly #dialling: Dialling
  readonly #lookups: Lookups
  readonly #baseMs: number
  /** Honest providers that are on, of each model. */
  readonly #providers: number[][]

  constructor(network: Network) {
    this.#network = network
    this.#baseMs = network.clock.atMs
    this.#timers = new VirtualTimers((nowMs) => (network.clock.atMs = this.#baseMs + nowMs))
    this.#dialling = new Dialling(network)
    this.#lookups = new Lookups(network, this.#timers, this.#dialling)
    const { population, overlay, joinedAtMs } = network
    this.#providers = Array.from({ length: population.modelCount }, () => [])
    for (const node of overlay.everybody.list) {
      if (population.isHostile[node] === 1 || this.#baseMs - (joinedAtMs[node] ?? 0) < SETTLED_MS) continue
      for (const model of population.models[node] ?? []) this.#providers[model]?.push(node)
    }
  }

  /** As people ask: by popularity, among what somebody offers. */
  async byPopularity(count: number): Promise<RequestFigures> {
    return await this.#all(count, () => drawModel(this.#network.population.cumulative, this.#network.random))
  }

  /** For models that as many nodes offer as `fits` says, each as often. */
  async among(count: number, fits: (providers: number) => boolean): Promise<RequestFigures | undefined> {
    const models = [...this.#providers.keys()].filter((model) => fits(this.#providers[model]?.length ?? 0))
    if (models.length === 0) return undefined
    return await this.#all(count, () => models[Math.floor(this.#network.random() * models.length)] ?? 0)
  }

  async #all(count: number, draw: () => number): Promise<RequestFigures> {
    const { observers, overlay, random } = this.#network
    const askers = observers.nodes.filter((node) => overlay.online[node] === 1)
    const outcomes: Outcome[] = []
    this.#timers.install()
    try {
      for (let tries = 0; outcomes.length < count && tries < 20 * count; tries += 1) {
        const model = draw()
        const asker = askers[Math.floor(random() * askers.length)] ?? 0
        const others = (this.#providers[model] ?? []).filter((node) => node !== asker)
        if (others.length > 0) outcomes.push(await this.#one(asker, model))
      }
    } finally {
      this.#timers.uninstall()
      this.#network.clock.atMs = this.#baseMs
    }
    const found = outcomes.filter(({ isAnswered }) => isAnswered).map(({ foundMs }) => foundMs)
    const share = (fits: (outcome: Outcome) => boolean): number => outcomes.filter(fits).length / outcomes.length
    return {
      requests: outcomes.length,
      answered: found.length / outcomes.length,
      foundMs: { p50: percentile(found, 50), p99: percentile(found, 99) },
      wrongFirst: share(({ wrongFirst }) => wrongFirst),
      lookedUp: share(({ isLookedUp }) => isLookedUp),
      failed: Object.fromEntries(
        FAILURES.map((failure) => [failure, share((outcome) => outcome.failure === failure)] as const),
      ),
    }
  }

  /** With a table as it was before. */
  async #one(asker: number, model: number): Promise<Outcome> {
    const network = this.#network
    const view = network.observers.view(asker)
    if (view === undefined) throw new Error('no table')
    this.#timers.nowMs = 0
    network.clock.atMs = this.#baseMs
    const needs = { network, timers: this.#timers, dialling: this.#dialling, lookups: this.#lookups }
    const search = new Search(needs, asker, model, view)
    const outcome = await this.#timers.run(search.run())
    this.#timers.clear()
    search.forget()
    return outcome
  }
}
