import { InterruptibleSleep, type SleepingClock } from '../../base/clock.js'
import type { Service } from '../../base/lifecycle.js'
import type { Log } from '../../logging/index.js'
import type { LocalModel, LocalService, ServiceRegistration } from '../index.js'
import { EVERY_PATH, LLM_SHARED_PATHS } from '../sharing/shared-paths.js'
import { createHealthCheck, type CheckOutcome, type HealthCheck } from './health-check.js'
import type { HttpProbe } from './http-probe.js'
import { publishModels, type PublishedModels } from './published-models.js'
import { LLM, serviceIdOf } from './registration.js'
import {
  FORWARDS_BACK,
  isLogged,
  judge,
  NOT_YET_CHECKED,
  nextCheckInMs,
  type WatchState,
  type WatchTimings,
} from './service-state.js'

/** Watches one registered server for as long as it is registered. */
export interface ServiceWatcher extends Service {
  readonly registration: ServiceRegistration
  current(): LocalService
  /** The owner changed the registration (same name, host and port): it counts at once, and the server is checked. */
  change(registration: ServiceRegistration): void
  reportFailure(): void
  reportSuccess(): void
  reportMissing(): void
  reportLoop(): void
  /** Resolves after a check that began later than this call, or with the end of the watcher. */
  recheck(): Promise<void>
}

/** What a watcher stands on; `changed` is called after each change of what {@link ServiceWatcher.current} returns. */
interface WatcherNeeds {
  log: Log
  clock: SleepingClock
  probe: HttpProbe
  changed: () => void
}

/** A watcher of one registered server. */
export function createServiceWatcher(
  needs: WatcherNeeds,
  options: { registration: ServiceRegistration; timings: WatchTimings },
): ServiceWatcher {
  return new HealthWatcher(needs, options)
}

class HealthWatcher implements ServiceWatcher {
  readonly name: string
  readonly #id: string
  readonly #needs: WatcherNeeds
  readonly #timings: WatchTimings
  readonly #stopped = new AbortController()
  readonly #sleep: InterruptibleSleep
  #registration: ServiceRegistration
  #health: HealthCheck
  #state: WatchState = NOT_YET_CHECKED
  #serverModels: readonly LocalModel[] = []
  #published: PublishedModels
  #service: LocalService
  #lastSuccessMs = Number.NEGATIVE_INFINITY
  /** When the last list was asked for because something was missing. */
  #lastMissingMs = Number.NEGATIVE_INFINITY
  /** What it was sent came back to this node; so it does until its owner says otherwise. */
  #forwardsBack = false
  /** A request failed, so the server is to be checked at once. */
  #urgent = false
  #running: Promise<void> | undefined
  /** Those who wait for the next check. */
  #waiting: (() => void)[] = []

  constructor(needs: WatcherNeeds, options: { registration: ServiceRegistration; timings: WatchTimings }) {
    this.#needs = needs
    this.#timings = options.timings
    this.#sleep = new InterruptibleSleep(needs.clock, this.#stopped.signal)
    this.#registration = options.registration
    this.#id = serviceIdOf(options.registration)
    this.name = `service ${this.#id}`
    this.#health = createHealthCheck(needs, options.registration)
    this.#published = publishModels([], options.registration)
    this.#service = this.#describe()
  }

  get registration(): ServiceRegistration {
    return this.#registration
  }

  current(): LocalService {
    return this.#service
  }

  change(registration: ServiceRegistration): void {
    this.#registration = registration
    this.#forwardsBack = false
    this.#health = createHealthCheck(this.#needs, registration)
    this.#publish()
    this.#update()
    this.#sleep.interrupt()
  }

  reportFailure(): void {
    this.#urgent = true
    this.#sleep.interrupt()
  }

  reportSuccess(): void {
    this.#lastSuccessMs = this.#needs.clock.elapsedMs()
  }

  reportMissing(): void {
    const nowMs = this.#needs.clock.elapsedMs()
    // Any request for a path that the server does not have says so.
    if (nowMs - this.#lastMissingMs < this.#timings.missingGapMs) return
    this.#lastMissingMs = nowMs
    this.#sleep.interrupt()
  }

  reportLoop(): void {
    this.#forwardsBack = true
    const before = this.#state.status
    this.#state = { status: 'down', failures: 1, everAlive: true, problem: FORWARDS_BACK }
    this.#report(before)
    this.#update()
  }

  recheck(): Promise<void> {
    if (this.#isStopped()) return Promise.resolve()
    this.reportFailure()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#running ??= this.#watch().catch((error: unknown) =>
      this.#needs.log.error('watching a local service failed', { service: this.#id, error }),
    )
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
    this.#wake(this.#waiting)
  }

  #wake(waiting: readonly (() => void)[]): void {
    for (const resolve of waiting) resolve()
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      const wasUrgent = this.#urgent
      this.#urgent = false
      const waiting = this.#waiting.splice(0)
      const health = this.#health
      const { probeTimeoutMs, firstProbeTimeoutMs } = this.#timings
      const outcome = await health.check(signal, this.#state.everAlive ? probeTimeoutMs : firstProbeTimeoutMs)
      if (this.#isStopped()) {
        this.#wake(waiting)
        return
      }
      // A check of what was registered before says nothing about what is registered now.
      if (health === this.#health) this.#conclude(outcome, wasUrgent)
      this.#wake(waiting)
      await this.#rest(nextCheckInMs(this.#state, this.#timings, this.#registration))
    }
  }

  async #rest(ms = Number.MAX_SAFE_INTEGER): Promise<void> {
    if (!this.#urgent) await this.#sleep.sleep(ms)
    if (this.#urgent) await this.#needs.clock.sleep(this.#timings.urgentGapMs, this.#stopped.signal)
    // The check that comes now is what it asked for.
    this.#sleep.forgetInterruption()
  }

  #isStopped(): boolean {
    return this.#stopped.signal.aborted
  }

  #conclude(seen: CheckOutcome, wasUrgent: boolean): void {
    const outcome: CheckOutcome = this.#forwardsBack ? { kind: 'unfit', reason: FORWARDS_BACK } : seen
    const busy = this.#needs.clock.elapsedMs() - this.#lastSuccessMs <= this.#timings.busyWindowMs
    const { healthRetries } = this.#registration
    const before = this.#state.status
    this.#state = judge(this.#state, outcome, { urgent: wasUrgent, busy, healthRetries })
    if (outcome.kind === 'alive') this.#takeModels(outcome.models ?? [], outcome.unreadable)
    this.#report(before)
    this.#update()
  }

  #takeModels(models: readonly LocalModel[], unreadable: number): void {
    if (unreadable > 0) {
      this.#needs.log.debug('some entries of the list of models are unreadable', { service: this.#id, unreadable })
    }
    this.#serverModels = models
    this.#publish()
  }

  #publish(): void {
    const before = this.#published.leftOut
    this.#published = publishModels(this.#serverModels, this.#registration)
    const { leftOut } = this.#published
    if (leftOut.length === 0 || JSON.stringify(before) === JSON.stringify(leftOut)) return
    const fields = { service: this.#id, count: leftOut.length, leftOut: leftOut.slice(0, 20) }
    this.#needs.log.warn('some models are not published', fields)
  }

  #report(before: LocalService['status']): void {
    const { log } = this.#needs
    const { status, failures, problem, everAlive } = this.#state
    const service = this.#id
    if (status === 'connected' && before !== 'connected') {
      log.info('a local service is ready', { service, models: this.#published.models.length })
    } else if (before === 'connected' && status !== 'connected') {
      log.warn('a local service does not answer any more and is withdrawn', { service, problem })
    } else if (before === 'starting' && status === 'down' && !everAlive) {
      log.warn('a local service never answered and is given up', { service, problem, tries: failures })
    } else if (status !== 'connected' && isLogged(failures)) {
      log.info('waiting for a local service', { service, problem, tries: failures })
    }
  }

  #update(): void {
    const next = this.#describe()
    if (isSame(next, this.#service)) return
    this.#service = next
    this.#needs.changed()
  }

  #describe(): LocalService {
    const { name, host, port, sharedPaths, visibility, basePath, models, except } = this.#registration
    const { visibilities } = this.#published
    const own = sharedPaths.length > 0 ? sharedPaths : EVERY_PATH
    return {
      ...{ id: this.#id, name, host, port, visibility, visibilities },
      published: [visibility, ...visibilities.values()].some((one) => one !== 'me'),
      status: this.#state.status,
      identityGroups: this.#published.identityGroups,
      sharedPaths: name === LLM ? [...LLM_SHARED_PATHS, ...sharedPaths] : own,
      serverModelIds: this.#published.serverModelIds,
      models: this.#published.models,
      problem: this.#state.problem,
      ...(basePath === '' ? {} : { basePath }),
      ...(models === 'all' && except.length === 0 ? {} : { onlyTicked: true }),
    }
  }
}

function isSame(a: LocalService, b: LocalService): boolean {
  return toComparable(a) === toComparable(b)
}

function toComparable(service: LocalService): string {
  const { serverModelIds, visibilities } = service
  return JSON.stringify({ ...service, serverModelIds: [...serverModelIds], visibilities: [...visibilities] })
}
