import { AppError } from '#shared/errors.js'
import type { Log } from '../../logging/index.js'
import { systemSleepingClock, type SleepingClock } from '../../base/sleeping-clock.js'
import { DEFAULT_TIMINGS, MAX_SERVICES, type WatchTimings } from './constants.js'
import { createHttpProbe } from './http-probe.js'
import type { LocalService, RegistrationInput, ServiceRegistration, ServiceRegistry } from '../index.js'
import { describeRegistration, parseRegistration, serviceIdOf } from './registration.js'
import { createServiceWatcher, type ServiceWatcher } from './service-watcher.js'

/** How a registry works. */
export interface ServiceRegistryOptions {
  /** Registered when it starts. */
  services?: readonly RegistrationInput[]
  /** Whether a service may be on another machine (default false): whoever may register could then reach the whole LAN. */
  allowRemoteTarget?: boolean
  /** Where they differ from {@link DEFAULT_TIMINGS}. */
  timings?: Partial<WatchTimings>
}

/** This machine's services, each with its watcher. What is added before the start is watched from the start. */
export function createServiceRegistry(
  needs: { log: Log; clock?: SleepingClock },
  options: ServiceRegistryOptions = {},
): ServiceRegistry {
  const log = needs.log.forComponent('services')
  const clock = needs.clock ?? systemSleepingClock
  const timings = { ...DEFAULT_TIMINGS, ...options.timings }
  const policy = { allowRemoteTarget: options.allowRemoteTarget ?? false }
  const probe = createHttpProbe()
  const watchers = new Map<string, ServiceWatcher>()
  const listeners = new Set<() => void>()
  /** What {@link ServiceRegistry.connected} answered since the last change: it is asked for each request. */
  const connectedByName = new Map<string, readonly LocalService[]>()
  let running: AbortSignal | undefined
  let stopping: Promise<void> | undefined

  function changed(): void {
    connectedByName.clear()
    for (const listener of [...listeners]) {
      try {
        listener()
      } catch (error) {
        log.error('a listener to the services failed', { error })
      }
    }
  }

  function list() {
    return [...watchers.values()].map((watcher) => watcher.current())
  }

  function launch(watcher: ServiceWatcher, signal: AbortSignal): void {
    watcher.start(signal).catch((error: unknown) => log.error('watching a service failed', { error }))
  }

  function check(input: RegistrationInput): { id: string; registration: ServiceRegistration } {
    if (stopping !== undefined)
      throw new AppError('invalid_service', 'This node is stopping and registers nothing more.')
    const registration = parseRegistration(input, policy)
    const id = serviceIdOf(registration)
    if (watchers.size >= MAX_SERVICES && !watchers.has(id)) {
      throw new AppError('invalid_service', `This node has ${MAX_SERVICES} services already; remove one first.`)
    }
    return { id, registration }
  }

  function add(input: RegistrationInput): string {
    const { id, registration } = check(input)
    const known = watchers.get(id)
    if (known !== undefined) {
      known.change(registration)
      return id
    }
    const watcher = createServiceWatcher({ log, clock, probe, changed }, { registration, timings })
    watchers.set(id, watcher)
    log.info('a service is registered', { service: id, what: describeRegistration(registration) })
    changed()
    if (running !== undefined) launch(watcher, running)
    return id
  }

  async function stopAll(): Promise<void> {
    listeners.clear()
    await Promise.all([...watchers.values()].map((watcher) => watcher.stop()))
    watchers.clear()
    connectedByName.clear()
    await probe.close()
  }

  return {
    name: 'services',
    list,
    get: (id) => watchers.get(id)?.current(),
    connected(name) {
      const known = connectedByName.get(name)
      if (known !== undefined) return known
      const connected = list()
        .filter((service) => service.name === name && service.status === 'connected')
        .sort((a, b) => Number(b.published) - Number(a.published))
      // Names come from requests too: only those of services are kept, which are few.
      if (connected.length > 0) connectedByName.set(name, connected)
      return connected
    },
    add,
    check: (input) => check(input).id,
    async remove(id) {
      const watcher = watchers.get(id)
      if (watcher === undefined) return false
      watchers.delete(id)
      log.info('a service is taken away', { service: id })
      changed()
      await watcher.stop()
      return true
    },
    reportFailure: (id) => watchers.get(id)?.reportFailure(),
    reportSuccess: (id) => watchers.get(id)?.reportSuccess(),
    apiKey: (id) => watchers.get(id)?.registration.apiKey,
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    start(signal) {
      signal.throwIfAborted()
      for (const input of options.services ?? []) add(input)
      running = signal
      for (const watcher of watchers.values()) launch(watcher, signal)
      return Promise.resolve()
    },
    stop() {
      stopping ??= stopAll()
      return stopping
    },
  }
}
