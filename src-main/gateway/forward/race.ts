import { type StallWatch, watchForStall } from '../../base/stall-watch.js'
import type { Provider } from '../routing/choose-providers.js'
import type { Failover } from './failover.js'
import type { AttemptPlan } from './targets.js'
import type { AttemptOutcome } from './websocket.js'

/** An attempt's part in a request that several providers may be asked for. */
export interface Contest {
  /** What the contest does with the attempt: lets its head pass before its body, or ends it, because another won. */
  enter(attempt: { pass(): void; leave(): void }): void
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

/** What a race needs to know of the request it is about. */
interface RaceNeeds {
  failover: Failover
  doubled: DoubledRequests
  /** What to do at that provider; undefined where there is nothing any more. */
  plan(provider: Provider): AttemptPlan | undefined
  /** How long (ms) it may keep the answer waiting before another is asked; undefined for as long as it likes. */
  patienceMs(plan: AttemptPlan): number | undefined
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
  readonly #running = new Set<RaceEntry>()
  readonly #over = Promise.withResolvers<boolean>()
  #winner: RaceEntry | undefined
  #attempts = 0

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

  #askNext(): boolean {
    const { failover } = this.#needs
    for (let provider = failover.next(); provider !== undefined; provider = failover.next()) {
      const plan = this.#needs.plan(provider)
      if (plan === undefined) continue
      this.#start(plan)
      return true
    }
    return false
  }

  #start(plan: AttemptPlan): void {
    const entry = new RaceEntry(this, this.#needs.patienceMs(plan))
    this.#running.add(entry)
    this.#needs.doubled.count(this, this.#running.size)
    this.#attempts += 1
    entry.watch(() => this.#onSlow(entry))
    this.#needs.run(plan, entry).then(
      (result) => this.#ended(entry, plan, result),
      (error: unknown) => {
        this.#left(entry)
        this.#over.reject(error)
      },
    )
  }

  #onSlow(entry: RaceEntry): void {
    const { failover, doubled } = this.#needs
    if (this.#winner !== undefined) return
    if (failover.hasAnother() && doubled.admits(this) && this.#askNext()) return
    // Somebody may come, or there is room for one more later.
    entry.watch(() => this.#onSlow(entry))
    this.#passLast()
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
    if (this.#running.size === 0) this.#over.resolve(false)
    this.#passLast()
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
export class RaceEntry implements Contest {
  /** How long it may keep the answer waiting, ms; undefined for as long as it likes. */
  readonly patienceMs: number | undefined
  readonly #race: Race
  #attempt: { pass(): void; leave(): void } | undefined
  #watch: StallWatch | undefined

  constructor(race: Race, patienceMs: number | undefined) {
    this.#race = race
    this.patienceMs = patienceMs
  }

  /** Another provider is there beside this one. */
  get hasAnother(): boolean {
    return this.#race.hasAnother
  }

  watch(onSlow: () => void): void {
    if (this.patienceMs !== undefined) this.#watch = watchForStall(onSlow, this.patienceMs)
  }

  stop(): void {
    this.#watch?.stop()
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
