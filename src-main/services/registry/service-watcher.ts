import type { Log } from '../../logging/index.js'
import type { Service } from '../../base/lifecycle.js'
import type { SleepingClock } from '../../base/sleeping-clock.js'
import type { WatchTimings } from './constants.js'
import { createHealthCheck, type CheckOutcome } from './health-check.js'
import type { HttpProbe } from './http-probe.js'
import type { LocalService, ServiceRegistration } from '../index.js'
import type { ServerModel } from './model-list.js'
import { publishModels, type PublishedModels } from './published-models.js'
import { LLM, serviceIdOf } from './registration.js'
import { isTold, judge, NOT_YET_CHECKED, nextCheckInMs } from './service-state.js'
import { EVERY_PATH, LLM_SHARED_PATHS } from '../sharing/shared-paths.js'

/** Watches one registered server for as long as it is registered. */
export interface ServiceWatcher extends Service {
  readonly registration: ServiceRegistration
  current(): LocalService
  /** The owner changed the registration (same name, host and port): it counts at once, and the server is checked. */
  change(registration: ServiceRegistration): void
  reportFailure(): void
  reportSuccess(): void
}

/** A watcher; `changed` is called after each change of what {@link ServiceWatcher.current} returns. */
export function createServiceWatcher(
  needs: { log: Log; clock: SleepingClock; probe: HttpProbe; changed: () => void },
  options: { registration: ServiceRegistration; timings: WatchTimings },
): ServiceWatcher {
  const { log, clock, timings } = { ...needs, ...options }
  const id = serviceIdOf(options.registration)
  const stopped = new AbortController()
  let registration = options.registration
  let health = createHealthCheck(needs, registration)
  let state = NOT_YET_CHECKED
  let serverModels: readonly ServerModel[] = []
  let published: PublishedModels = publishModels([], registration)
  let service = describe()
  let lastSuccessMs = Number.NEGATIVE_INFINITY
  let urgent = false
  let nap = new AbortController()
  let running: Promise<void> | undefined

  async function watch(): Promise<void> {
    while (!stopped.signal.aborted) {
      const wasUrgent = urgent
      urgent = false
      const checked = health
      const timeoutMs = state.everAlive ? timings.probeTimeoutMs : timings.firstProbeTimeoutMs
      const outcome = await checked.check(stopped.signal, timeoutMs)
      if (isStopped()) return
      // A check of what was registered before says nothing about what is registered now.
      if (checked === health) conclude(outcome, wasUrgent)
      await rest(nextCheckInMs(state, timings, registration))
    }
  }

  async function rest(ms: number | undefined): Promise<void> {
    if (!urgent) await clock.sleep(ms ?? Number.MAX_SAFE_INTEGER, AbortSignal.any([nap.signal, stopped.signal]))
    if (urgent) await clock.sleep(timings.urgentGapMs, stopped.signal)
    if (nap.signal.aborted) nap = new AbortController()
  }

  function isStopped(): boolean {
    return stopped.signal.aborted
  }

  function conclude(outcome: CheckOutcome, wasUrgent: boolean): void {
    const busy = clock.now() - lastSuccessMs <= timings.busyWindowMs
    const before = state
    state = judge(state, outcome, { urgent: wasUrgent, busy, healthRetries: registration.healthRetries })
    if (outcome.kind === 'alive') takeModels(outcome.models ?? [], outcome.unreadable)
    tell(before.status)
    update()
  }

  function takeModels(models: readonly ServerModel[], unreadable: number): void {
    if (unreadable > 0) log.debug('some entries of the list of models are unreadable', { service: id, unreadable })
    serverModels = models
    publish()
  }

  function publish(): void {
    const before = published
    published = publishModels(serverModels, registration)
    const count = published.leftOut.length
    if (count > 0 && JSON.stringify(before.leftOut) !== JSON.stringify(published.leftOut)) {
      log.warn('some models are not published', { service: id, count, leftOut: published.leftOut.slice(0, 20) })
    }
  }

  function tell(before: LocalService['status']): void {
    const { status, failures, problem } = state
    if (status === 'connected' && before !== 'connected') {
      log.info('a local service is ready', { service: id, models: published.models.length })
    } else if (before === 'connected' && status !== 'connected') {
      log.warn('a local service does not answer any more and is withdrawn', { service: id, problem })
    } else if (before === 'starting' && status === 'down' && !state.everAlive) {
      log.warn('a local service never answered and is given up', { service: id, problem, tries: failures })
    } else if (status !== 'connected' && isTold(failures)) {
      log.info('waiting for a local service', { service: id, problem, tries: failures })
    }
  }

  function update(): void {
    const next = describe()
    if (isSame(next, service)) return
    service = next
    needs.changed()
  }

  function describe(): LocalService {
    const { name, host, port, sharedPaths } = registration
    const isLlm = name === LLM
    return {
      id,
      name,
      host,
      port,
      status: state.status,
      identityGroups: published.identityGroups,
      published: registration.published,
      sharedPaths: isLlm ? [...LLM_SHARED_PATHS, ...sharedPaths] : sharedPaths.length > 0 ? sharedPaths : EVERY_PATH,
      serverModelIds: published.serverModelIds,
      models: published.models,
      problem: state.problem,
      ...(registration.basePath === '' ? {} : { basePath: registration.basePath }),
      ...(registration.models === 'all' ? {} : { onlyTicked: true }),
    }
  }

  function wake(): void {
    nap.abort()
  }

  return {
    name: `service ${id}`,
    get registration() {
      return registration
    },
    current: () => service,
    change(next) {
      registration = next
      health = createHealthCheck(needs, next)
      publish()
      update()
      wake()
    },
    reportFailure() {
      urgent = true
      wake()
    },
    reportSuccess() {
      lastSuccessMs = clock.now()
    },
    start(signal) {
      signal.throwIfAborted()
      running ??= watch().catch((error: unknown) =>
        log.error('watching a local service failed', { service: id, error }),
      )
      return Promise.resolve()
    },
    async stop() {
      stopped.abort()
      await running
    },
  }
}

function isSame(a: LocalService, b: LocalService): boolean {
  return toComparable(a) === toComparable(b)
}

function toComparable(service: LocalService): string {
  return JSON.stringify({ ...service, serverModelIds: [...service.serverModelIds] })
}
