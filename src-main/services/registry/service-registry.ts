import { AppError } from '#shared/errors.js'
import { systemSleepingClock, type SleepingClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import type { LocalService, PeerClass, RegistrationInput, ServiceRegistration, ServiceRegistry } from '../index.js'
import { createHttpProbe } from './http-probe.js'
import { describeRegistration, parseRegistration, serviceIdOf } from './registration.js'
import { DEFAULT_TIMINGS, type WatchTimings } from './service-state.js'
import { createServiceWatcher, type ServiceWatcher } from './service-watcher.js'
import { seenBy } from './visibility.js'

/** How a registry works. */
export interface ServiceRegistryOptions {
  /** Registered when it starts. */
  services?: readonly RegistrationInput[]
  /** Whether a service may be on another machine (default false): registering one then reaches the whole LAN. */
  allowRemoteTarget?: boolean
  /** Where they differ from {@link DEFAULT_TIMINGS}. */
  timings?: Partial<WatchTimings>
}

/** The most services one node registers. */
const MAX_SERVICES = 32

/** This machine's services, each with its watcher. What is added before the start is watched from the start. */
export function createServiceRegistry(
  needs: { log: Log; clock?: SleepingClock },
  options: ServiceRegistryOptions = {},
): ServiceRegistry {
  return new WatchingRegistry(needs, options)
}

class WatchingRegistry implements ServiceRegistry {
  readonly name = 'services'
  readonly #log: Log
  readonly #clock: SleepingClock
  readonly #options: ServiceRegistryOptions
  readonly #timings: WatchTimings
  readonly #probe = createHttpProbe()
  readonly #watchers = new Map<string, ServiceWatcher>()
  readonly #listeners = new Set<() => void>()
  /** What {@link ServiceRegistry.connected} answered since the last change: it is asked for each request. */
  readonly #connectedByName = new Map<string, readonly LocalService[]>()
  /** As {@link #connectedByName}. */
  readonly #sharedWith = new Map<PeerClass, readonly LocalService[]>()
  #running: AbortSignal | undefined
  #stopping: Promise<void> | undefined

  constructor(needs: { log: Log; clock?: SleepingClock }, options: ServiceRegistryOptions) {
    this.#log = needs.log.forComponent('services')
    this.#clock = needs.clock ?? systemSleepingClock
    this.#options = options
    this.#timings = { ...DEFAULT_TIMINGS, ...options.timings }
  }

  start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    for (const input of this.#options.services ?? []) this.add(input)
    this.#running = signal
    for (const watcher of this.#watchers.values()) this.#launch(watcher, signal)
    return Promise.resolve()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    return this.#stopping
  }

  list(): LocalService[] {
    return [...this.#watchers.values()].map((watcher) => watcher.current())
  }

  sharedWith(peers: PeerClass): readonly LocalService[] {
    const known = this.#sharedWith.get(peers)
    if (known !== undefined) return known
    const shared = this.list().flatMap((service) => seenBy(service, peers) ?? [])
    this.#sharedWith.set(peers, shared)
    return shared
  }

  get(id: string): LocalService | undefined {
    return this.#watchers.get(id)?.current()
  }

  connected(name: string): readonly LocalService[] {
    const known = this.#connectedByName.get(name)
    if (known !== undefined) return known
    const connected = this.list()
      .filter((service) => service.name === name && service.status === 'connected')
      .sort((a, b) => Number(b.published) - Number(a.published))
    // Names come from requests too: only those of services are kept, which are few.
    if (connected.length > 0) this.#connectedByName.set(name, connected)
    return connected
  }

  check(input: RegistrationInput): string {
    return serviceIdOf(this.#checked(input))
  }

  add(input: RegistrationInput): string {
    const registration = this.#checked(input)
    const id = serviceIdOf(registration)
    const known = this.#watchers.get(id)
    if (known !== undefined) {
      known.change(registration)
      return id
    }
    const needs = { log: this.#log, clock: this.#clock, probe: this.#probe, changed: () => this.#changed() }
    const watcher = createServiceWatcher(needs, { registration, timings: this.#timings })
    this.#watchers.set(id, watcher)
    this.#log.info('a service is registered', { service: id, what: describeRegistration(registration) })
    this.#changed()
    if (this.#running !== undefined) this.#launch(watcher, this.#running)
    return id
  }

  async remove(id: string): Promise<boolean> {
    const watcher = this.#watchers.get(id)
    if (watcher === undefined) return false
    this.#watchers.delete(id)
    this.#log.info('a service is taken away', { service: id })
    this.#changed()
    await watcher.stop()
    return true
  }

  reportFailure(id: string): void {
    this.#watchers.get(id)?.reportFailure()
  }

  reportSuccess(id: string): void {
    this.#watchers.get(id)?.reportSuccess()
  }

  reportMissing(id: string): void {
    this.#watchers.get(id)?.reportMissing()
  }

  reportLoop(id: string): void {
    this.#watchers.get(id)?.reportLoop()
  }

  async recheck(id: string): Promise<void> {
    await this.#watchers.get(id)?.recheck()
  }

  apiKey(id: string): string | undefined {
    return this.#watchers.get(id)?.registration.apiKey
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #checked(input: RegistrationInput): ServiceRegistration {
    if (this.#stopping !== undefined) {
      throw new AppError('invalid_service', 'This node is stopping and registers nothing more.')
    }
    const { allowRemoteTarget = false } = this.#options
    const registration = parseRegistration(input, { allowRemoteTarget })
    if (this.#watchers.size >= MAX_SERVICES && !this.#watchers.has(serviceIdOf(registration))) {
      throw new AppError('invalid_service', `This node has ${MAX_SERVICES} services already; remove one first.`)
    }
    return registration
  }

  #launch(watcher: ServiceWatcher, signal: AbortSignal): void {
    watcher.start(signal).catch((error: unknown) => this.#log.error('watching a service failed', { error }))
  }

  #changed(): void {
    this.#forget()
    for (const listener of [...this.#listeners]) {
      try {
        listener()
      } catch (error) {
        this.#log.error('a listener to the services failed', { error })
      }
    }
  }

  async #stopAll(): Promise<void> {
    this.#listeners.clear()
    await Promise.all([...this.#watchers.values()].map((watcher) => watcher.stop()))
    this.#watchers.clear()
    this.#forget()
    await this.#probe.close()
  }

  #forget(): void {
    this.#connectedByName.clear()
    this.#sharedWith.clear()
  }
}
