import { NOT_A_MEMBER, SwapRemoveSet, type SwapRemoveMember } from '../../base/memory/swap-remove-set.js'
import { type StallWatch, watchForStall } from '../../base/stall-watch.js'
import type { Provider } from '../routing/choose-providers.js'
import type { Failover } from './failover.js'
import type { AttemptPlan } from './targets.js'
import type { AttemptOutcome } from './websocket.js'

/** An attempt's part in a request that several providers may be asked for. */
export interface Contest {
  /** What the contest does with the attempt: lets its head pass before its body, or ends it, because another won. */
  enter(attempt: { pass(): void; leave(why?: string): void }): void
  /** Its head has come: whether it may go to the client before anything of the body. */
  mayPass(): boolean
  /** Its answer begins: whether that is what the client gets. */
  wins(): boolean
}

/** Requests of a node that are at work at two providers at a time: where all are slow, it must not double their load. */
const MAX_DOUBLED = 16

/** The requests that are at work at more than one provider now. */
export class DoubledRequests {
  readonly #races = new Set<Race>()

  /** Whether another one, or one more attempt of this one, fits in. */
  admits(race: Race): boolean {
    return this.#races.has(race) || this.#races.size < MAX_DOUBLED
  }

  count(race: Race, runners: number): void {
    if (runners > 1) this.#races.add(race)
    else this.#races.delete(race)
  }
}

/** When a second provider is asked for the sake of speed alone. */
interface Hedge {
  /** After how many ms the answer of the first attempt is late; undefined where that is no reason to ask another. */
  lateAfterMs(plan: AttemptPlan): number | undefined
  /** Whether that provider is asked second, after the first was waited for so long (ms); it counts then. */
  takes(provider: Provider, waitedMs: number): boolean
}

/** What a race needs to know of the request it is about. */
interface RaceNeeds {
  failover: Failover
  doubled: DoubledRequests
  /** What to do at that provider; undefined where there is nothing any more. */
  plan(provider: Provider): AttemptPlan | undefined
  /** How long (ms) it may keep the answer waiting before another is asked; undefined for as long as it likes. */
  patienceMs(plan: AttemptPlan): number | undefined
  /** A second attempt before that, where the first is late. */
  hedge: Hedge
  /** Makes an attempt there. */
  run(plan: AttemptPlan, contest: RaceEntry): Promise<AttemptOutcome>
  /** One left the client without an answer. */
  failed(plan: AttemptPlan, result: AttemptOutcome & { kind: 'failed' | 'refused' }): void
}

/**
 * Asks the providers of one request: the next one when one has failed, and also while one shows no sign of an answer for
 * longer than it should. The first whose answer begins is the client's, and the others are left.
 */
export class Race {
  readonly #needs: RaceNeeds
  readonly #running = new SwapRemoveSet<RaceEntry>()
  readonly #over = Promise.withResolvers<boolean>()
  #winner: RaceEntry | undefined
  #attempts = 0
  #hasLookedAround = false

  constructor(needs: RaceNeeds) {
    this.#needs = needs
  }

  /** Whether the client has an answer, or no need of one any more; false where all have failed. Rejects with what `run` does. */
  run(): Promise<boolean> {
    if (!this.#askNext()) this.#over.resolve(false)
    return this.#over.promise
  }

  /** Attempts that were begun. */
  get attempts(): number {
    return this.#attempts
  }

  /** True where that attempt need not fear another: it has won, or nobody else is asked or will be while it waits. */
  isAlone(entry: RaceEntry): boolean {
    if (this.#winner !== undefined) return this.#winner === entry
    return this.#running.size === 1 && (entry.patienceMs === undefined || !this.#needs.failover.hasAnother())
  }

  /** Another provider is there, asked already or not. */
  get hasAnother(): boolean {
    return this.#running.size > 1 || this.#needs.failover.hasAnother()
  }

  /** The answer of that attempt is what the client gets, unless there is one already. */
  wins(entry: RaceEntry): boolean {
    if (this.#winner !== undefined) return this.#winner === entry
    this.#winner = entry
    for (const other of this.#running) if (other !== entry) other.leave()
    return true
  }

  #askNext(pleases?: (provider: Provider) => boolean): boolean {
    const { failover } = this.#needs
    for (let provider = failover.next(pleases); provider !== undefined; provider = failover.next(pleases)) {
      const plan = this.#needs.plan(provider)
      if (plan === undefined) continue
      this.#start(plan)
      return true
    }
    return false
  }

  #start(plan: AttemptPlan): void {
    const entry = new RaceEntry(this, this.#needs.patienceMs(plan))
    const lateMs = this.#attempts === 0 ? this.#needs.hedge.lateAfterMs(plan) : undefined
    this.#running.add(entry)
    this.#needs.doubled.count(this, this.#running.size)
    this.#attempts += 1
    entry.watch(() => this.#onSlow(entry), entry.patienceMs)
    if (lateMs !== undefined && lateMs < (entry.patienceMs ?? 0)) entry.watch(() => this.#onLate(lateMs), lateMs)
    this.#needs.run(plan, entry).then(
      (result) => this.#ended(entry, plan, result),
      (error: unknown) => {
        this.#left(entry)
        this.#over.reject(error)
      },
    )
  }

  /** Later than nearly all: another may be sooner, and the first goes on. */
  #onLate(waitedMs: number): void {
    const { doubled, hedge } = this.#needs
    if (this.#winner !== undefined || this.#attempts > 1 || !doubled.admits(this)) return
    this.#askNext((provider) => hedge.takes(provider, waitedMs))
  }

  #onSlow(entry: RaceEntry): void {
    const { failover, doubled } = this.#needs
    if (this.#winner !== undefined) return
    if (failover.hasAnother() && doubled.admits(this) && this.#askNext()) return
    // Somebody may come, or there is room for one more later.
    entry.watch(() => this.#onSlow(entry), entry.patienceMs)
    this.#passLast()
    if (!this.#hasLookedAround && !failover.hasAnother()) this.#lookAround(entry)
  }

  /** The only one that is known takes long: others are looked for beside it, once. */
  #lookAround(entry: RaceEntry): void {
    const { failover, doubled } = this.#needs
    this.#hasLookedAround = true
    failover.findMore().then(
      (isFound) => {
        const isWaiting = this.#winner === undefined && this.#running.has(entry)
        if (isFound && isWaiting && doubled.admits(this)) this.#askNext()
      },
      // Whoever waits for an answer hears of a client that has gone.
      () => undefined,
    )
  }

  #ended(entry: RaceEntry, plan: AttemptPlan, result: AttemptOutcome): void {
    this.#left(entry)
    if (result.kind === 'overtaken') return
    if (result.kind !== 'failed' && result.kind !== 'refused') {
      this.#over.resolve(true)
      return
    }
    if (this.#winner === entry) this.#winner = undefined
    this.#needs.failed(plan, result)
    if (this.#winner !== undefined || this.#askNext()) return
    if (this.#running.size === 0) this.#lookForMore()
    this.#passLast()
  }

  /** Nobody is left to ask: others are waited for. */
  #lookForMore(): void {
    this.#needs.failover.findMore().then(
      (isFound) => {
        if (!isFound || !this.#askNext()) this.#over.resolve(false)
      },
      (error: unknown) => this.#over.reject(error),
    )
  }

  #left(entry: RaceEntry): void {
    entry.stop()
    this.#running.delete(entry)
    this.#needs.doubled.count(this, this.#running.size)
  }

  /** A head waits for nothing where nobody else is left. */
  #passLast(): void {
    for (const entry of this.#running) if (entry.mayPass()) entry.pass()
  }
}

/** One attempt in a {@link Race}. */
export class RaceEntry implements Contest, SwapRemoveMember {
  setIndex = NOT_A_MEMBER
  /** How long it may keep the answer waiting, ms; undefined for as long as it likes. */
  readonly patienceMs: number | undefined
  readonly #race: Race
  #attempt: { pass(): void; leave(): void } | undefined
  readonly #watches: StallWatch[] = []

  constructor(race: Race, patienceMs: number | undefined) {
    this.#race = race
    this.patienceMs = patienceMs
  }

  /** Another provider is there beside this one. */
  get hasAnother(): boolean {
    return this.#race.hasAnother
  }

  /** Calls back after so many ms without an answer; never where they are undefined. */
  watch(onSlow: () => void, ms: number | undefined): void {
    if (ms !== undefined) this.#watches.push(watchForStall(onSlow, ms))
  }

  stop(): void {
    for (const watch of this.#watches.splice(0)) watch.stop()
  }

  enter(attempt: { pass(): void; leave(): void }): void {
    this.#attempt = attempt
  }

  pass(): void {
    this.#attempt?.pass()
  }

  leave(): void {
    this.#attempt?.leave()
  }

  mayPass(): boolean {
    return this.#race.isAlone(this)
  }

  wins(): boolean {
    if (!this.#race.wins(this)) return false
    this.stop()
    return true
  }
}
