import { SETTINGS } from '../../../../src-main/config/index.js'
import { MAX_ATTEMPTS, type Choice } from '../../../../src-main/gateway/routing/choose-providers.js'
import {
  isUnmet,
  lookFurther,
  meet,
  meetOrLookFurther,
  type OpenChoice,
} from '../../../../src-main/gateway/routing/first-contact.js'
import { drawn } from '../../../../src-main/node-table/budget/drawn.js'
import { createProviderFinder, type ProviderFinder } from '../../../../src-main/node-table/find/provider-finder.js'
import type { StatusOutcome } from '../../../../src-main/node-table/status/peer-status.js'
import type { TableView } from '../../../../src-main/node-table/view/view.js'
import type { Network } from '../network.js'
import { numberOf } from '../syncs.js'
import type { VirtualTimers } from '../virtual-timers.js'
import type { Dialling } from './dialling.js'
import type { Lookups } from './lookups.js'

const SERVICE = 'llm'
/** Peers that may not be there, of one choice (`MAX_UNPROVEN`). */
const MAX_UNPROVEN = 256
/** All are strangers here: so many get to read one request. */
const MOST_READERS = SETTINGS['use.exposure'].default
const LEASE_MS = 600_000

/** What became of one request. */
export interface Outcome {
  isAnswered: boolean
  foundMs: number
  wrongFirst: boolean
  isLookedUp: boolean
  /** Why nobody was found: nobody named, those named not there, or liars alone. */
  failure: 'nobody-named' | 'nobody-there' | 'liars' | undefined
}

/** What a search works with. */
interface SearchNeeds {
  network: Network
  timers: VirtualTimers
  dialling: Dialling
  lookups: Lookups
}

/**
 * One request by a node whose table is simulated: the program's own choice between those the table knows and those the
 * DHT does, and its attempts at them.
 */
export class Search {
  readonly #needs: SearchNeeds
  readonly #asker: number
  readonly #model: number
  readonly #view: TableView
  readonly #finder: ProviderFinder
  /** Peers that have answered, and when. */
  readonly #met = new Map<string, number>()
  readonly #failed = new Set<string>()
  readonly #learned: string[] = []
  #isLookedUp = false
  #wasNamed = false

  constructor(needs: SearchNeeds, asker: number, model: number, view: TableView) {
    this.#needs = needs
    this.#asker = asker
    this.#model = model
    this.#view = view
    const { network, lookups } = needs
    this.#finder = createProviderFinder(
      {
        view,
        records: { find: (_service, _entry, signal) => this.#named(lookups.find(asker, model, signal)) },
        asker: { refreshWithRow: (peerId) => this.#askForRow(peerId) },
        monotonic: network.clock,
        isPartial: () => network.isPartial(asker),
      },
      { selfId: network.population.peerId(asker), reader: 'auto' },
    )
  }

  /** Sends the request until somebody who does offer the model takes it. */
  async run(): Promise<Outcome> {
    const { network, timers } = this.#needs
    let choice = await this.#choose()
    let wrongFirst: boolean | undefined
    let readers = 0
    for (let attempts = 0; attempts < MAX_ATTEMPTS && readers < MOST_READERS; attempts += 1) {
      if (!this.#hasSomebodyThere(choice) && attempts > 0 && this.#finder.reader() === 'dht') {
        choice = await meetOrLookFurther(this.#open)
      }
      const [first] = choice.providers
      const next = first?.kind === 'peer' ? first.peerId : undefined
      if (next === undefined) break
      const isThere = this.#met.has(next) || (await this.#ask(next)).kind === 'answered'
      if (isThere) {
        const isRight = network.population.isHostile[numberOf(next)] !== 1
        wrongFirst ??= !isRight
        if (isRight) return this.#outcome({ isAnswered: true, wrongFirst })
        readers += 1
        // A liar refuses, or gives nonsense, a round trip later.
        await timers.sleep(2 * 2 * network.overlay.oneWayMs(this.#asker, numberOf(next)))
      }
      this.#failed.add(next)
      choice = this.#open.now()
    }
    return this.#outcome({ isAnswered: false, wrongFirst: wrongFirst ?? false })
  }

  /** Forgets the rows that the search has brought. */
  forget(): void {
    for (const peerId of this.#learned) this.#view.remove(peerId, 'over-quota')
  }

  #outcome({ isAnswered, wrongFirst }: Pick<Outcome, 'isAnswered' | 'wrongFirst'>): Outcome {
    const hadLiars = [...this.#failed].some((peerId) => this.#met.has(peerId))
    const failure = hadLiars ? 'liars' : this.#wasNamed ? 'nobody-there' : 'nobody-named'
    return {
      ...{ isAnswered, wrongFirst, isLookedUp: this.#isLookedUp },
      foundMs: isAnswered ? this.#needs.timers.nowMs : Infinity,
      failure: isAnswered ? undefined : failure,
    }
  }

  /** As provider-choice.ts does it: whoever is connected comes first, of those known least in any order. */
  async #choose(): Promise<Choice> {
    const choice = this.#open.now()
    const isWhole = this.#finder.reader() === 'full'
    if (isUnmet(choice)) return isWhole ? await meet(this.#open) : await meetOrLookFurther(this.#open)
    return isWhole || choice.providers.length > 0 ? choice : await lookFurther(this.#open, false)
  }

  readonly #open: OpenChoice = {
    now: () => {
      const { network } = this.#needs
      const candidates = this.#view.offers
        .providers(SERVICE, this.#entry)
        .list.filter((peerId) => numberOf(peerId) !== this.#asker && !this.#failed.has(peerId))
      const met = candidates
        .filter((peerId) => this.#met.has(peerId))
        .sort((a, b) => (this.#met.get(a) ?? 0) - (this.#met.get(b) ?? 0))
      const connected = candidates.filter((peerId) => !this.#met.has(peerId) && this.#isConnected(peerId))
      const unmet = candidates.filter((peerId) => !this.#met.has(peerId) && !this.#isConnected(peerId))
      const unproven = drawn(unmet, MAX_UNPROVEN, network.random)
      const providers = [...met, ...shuffled(connected, network.random), ...unproven].slice(0, MAX_ATTEMPTS)
      return {
        ...{ unproven, knownButAway: false, beyondReach: false, unable: false },
        providers: providers.map((peerId) => ({ kind: 'peer', peerId })),
      }
    },
    status: { refresh: (peerId) => this.#ask(peerId) },
    find: async (areAway) => {
      this.#isLookedUp = true
      await this.#finder.find(SERVICE, this.#entry, { areAway, failed: this.#failed })
    },
  }

  get #entry(): string {
    return `model=m${String(this.#model)}`
  }

  #isConnected(peerId: string): boolean {
    return this.#needs.network.overlay.links[this.#asker]?.includes(numberOf(peerId)) ?? false
  }

  #hasSomebodyThere({ providers }: Choice): boolean {
    return providers.some(
      (provider) => provider.kind === 'peer' && (this.#met.has(provider.peerId) || this.#isConnected(provider.peerId)),
    )
  }

  async *#named(found: AsyncGenerator<string>): AsyncGenerator<string> {
    for await (const peerId of found) {
      if (numberOf(peerId) >= 0) this.#wasNamed = true
      yield peerId
    }
  }

  async #askForRow(peerId: string): Promise<StatusOutcome> {
    const { network } = this.#needs
    const outcome = await this.#ask(peerId)
    const owner = numberOf(peerId)
    const offers = network.population.models[owner]?.includes(this.#model) ?? false
    if (outcome.kind !== 'answered' || !offers || this.#view.get(peerId) !== undefined) return outcome
    const row = { owner, kind: 'row' as const, bytes: 0, leaseMs: LEASE_MS, atMs: network.clock.atMs }
    const isTaken = network.observers.take(this.#asker, { ...row, isWithdrawal: false }, 'asked', owner)
    if (isTaken) this.#learned.push(peerId)
    return outcome
  }

  async #ask(peerId: string): Promise<StatusOutcome> {
    const { network, timers, dialling } = this.#needs
    const { isThere, ms } = dialling.ask(this.#asker, numberOf(peerId))
    await timers.sleep(ms)
    if (!isThere) return { kind: 'unreachable', reason: 'gone' }
    if (!this.#met.has(peerId)) this.#met.set(peerId, network.clock.atMs)
    const status = { slotsFree: null, paused: null }
    return { kind: 'answered', status: status as unknown as Extract<StatusOutcome, { kind: 'answered' }>['status'] }
  }
}

/** The same in any order. */
function shuffled(peerIds: readonly string[], random: () => number): string[] {
  return peerIds
    .map((peerId) => ({ peerId, draw: random() }))
    .sort((a, b) => a.draw - b.draw)
    .map(({ peerId }) => peerId)
}
