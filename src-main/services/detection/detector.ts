import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import { AppError } from '#shared/errors.js'
import { InterruptibleSleep, systemSleepingClock, type SleepingClock } from '../../base/clock.js'
import { Listeners } from '../../base/listeners.js'
import type { Log } from '../../logging/index.js'
import { createHttpProbe, type HttpProbe } from '../registry/http-probe.js'
import { authorityOf, bareHost, isHost, isLoopbackHost, LOOPBACK_HOSTS } from '../registry/target.js'
import { isModelServer } from './ask.js'
import { noServer, notFound, scanAddress, type DetectionResult, type Memory, type ScanOutcome } from './scan.js'
import { USUAL_CANDIDATES, type Candidate } from './servers/index.js'
import type { DetectionTarget, Detector, DetectorNeeds, DetectorOptions } from './index.js'

/** Typed-in addresses that are kept. */
const MAX_TYPED = 16
/** A server that was there and is silent is busy; after so many silent scans it is gone. */
const SILENT_SCANS = 4
/** The question whether there is any model server takes no longer, since a node waits for it at its start. */
const ANY_SERVER_MS = 1_000

interface Found {
  server: DetectionResult
  silentScans: number
}

interface Typed extends DetectionTarget {
  last: ScanOutcome
}

/** What is known of an address before it is scanned. */
type Known = [expectedKind?: Candidate['expectedKind'], memory?: Memory]

/** A detector; it scans from its start on. */
export function createDetector(needs: DetectorNeeds, options: DetectorOptions = {}): Detector {
  return new LoopbackDetector(needs, options)
}

class LoopbackDetector implements Detector {
  readonly name = 'detection'
  readonly #needs: DetectorNeeds
  readonly #log: Log
  readonly #clock: SleepingClock
  readonly #options: Required<DetectorOptions>
  readonly #probe: HttpProbe
  readonly #stopped = new AbortController()
  readonly #sleep: InterruptibleSleep
  readonly #found = new Map<string, Found>()
  readonly #typed = new Map<string, Typed>()
  readonly #listeners = new Listeners()
  #views: readonly DetectedServer[] = []
  #scanning: Promise<readonly DetectedServer[]> | undefined
  #scannedAtMs = Number.NEGATIVE_INFINITY
  #running: Promise<void> | undefined

  constructor(needs: DetectorNeeds, options: DetectorOptions) {
    this.#needs = needs
    this.#log = needs.log.forComponent('detection')
    this.#clock = needs.clock ?? systemSleepingClock
    this.#options = {
      candidates: options.candidates ?? USUAL_CANDIDATES,
      allowRemoteTarget: options.allowRemoteTarget ?? false,
      watchedMs: options.watchedMs ?? 15_000,
      idleMs: options.idleMs ?? 60_000,
      answerMs: options.answerMs ?? 2_000,
      connectMs: options.connectMs ?? 500,
    }
    this.#probe = createHttpProbe({ connectTimeoutMs: this.#options.connectMs })
    this.#sleep = new InterruptibleSleep(this.#clock, this.#stopped.signal)
  }

  start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#running ??= this.#watch().catch((error: unknown) =>
      this.#log.error('scanning for model servers failed', { error }),
    )
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
    await this.#probe.close()
  }

  servers(): readonly DetectedServer[] {
    return this.#views
  }

  scan(): Promise<readonly DetectedServer[]> {
    this.#scanning ??= this.#scanAll().finally(() => (this.#scanning = undefined))
    return this.#scanning
  }

  async hasAnyServer(signal: AbortSignal): Promise<boolean> {
    const within = AbortSignal.any([signal, this.#stopped.signal, AbortSignal.timeout(ANY_SERVER_MS)])
    const { hopHeaders: headers } = this.#needs
    const isThere = async ({ port }: Candidate): Promise<boolean> => {
      for (const host of LOOPBACK_HOSTS) {
        const target = { host, port, apiKey: undefined, headers, timeoutMs: ANY_SERVER_MS, signal: within }
        if (await isModelServer({ probe: this.#probe }, target)) return true
      }
      return false
    }
    return (await Promise.all(this.#candidates().map(isThere))).includes(true)
  }

  async typeIn(target: DetectionTarget): Promise<DetectedServer> {
    this.#check(target)
    const entry = { ...target, host: bareHost(target.host) }
    const address = authorityOf(entry)
    if (this.#typed.size >= MAX_TYPED && !this.#typed.has(address)) {
      throw new AppError('invalid_service', `${MAX_TYPED} addresses are typed in already. Forget one first.`)
    }
    const typed = this.#keepTyped(entry, await this.#scanOne(entry))
    this.refreshShared()
    return this.#viewOfTyped(typed)
  }

  /** From the first time a server answers on, `localhost` is kept as the address it answered at. */
  #keepTyped(entry: DetectionTarget, last: ScanOutcome): Typed {
    const typed = { ...entry, host: last.kind === 'server' ? last.server.host : entry.host, last }
    if (typed.host !== entry.host) this.#typed.delete(authorityOf(entry))
    this.#typed.set(authorityOf(typed), typed)
    return typed
  }

  forget(address: string): boolean {
    const wasTyped = this.#typed.delete(address)
    if (wasTyped) this.refreshShared()
    return wasTyped
  }

  async inspect(target: DetectionTarget): Promise<DetectionResult> {
    this.#check(target)
    const expectedKind = this.#options.candidates.find(({ port }) => port === target.port)?.expectedKind
    const outcome = await this.#scanOne(target, expectedKind)
    if (outcome.kind !== 'server') throw new AppError('invalid_service', noServer(authorityOf(target), outcome))
    const { state, problem, address } = outcome.server
    if (state === 'unusable' || state === 'needs-key') {
      const param = state === 'needs-key' ? { param: 'apiKey' } : {}
      throw new AppError('invalid_service', `${address} can't be shared: ${problem ?? state}`, param)
    }
    return outcome.server
  }

  typedKey(address: string): string | undefined {
    return this.#typed.get(address)?.apiKey
  }

  follow(listener: () => void): () => void {
    const remove = this.#listeners.add(listener)
    // The first scan a person sees is a fresh one.
    this.#sleep.interrupt()
    return remove
  }

  refreshShared(): void {
    const before = new Map(this.#views.map((view) => [view.address, view]))
    const typed = [...this.#typed.values()].map((entry) => this.#viewOfTyped(entry))
    const typedAddresses = new Set(typed.map(({ address }) => address))
    const found = [...this.#found.values()]
      // A gateway that was not typed in is no news.
      .filter(({ server }) => !typedAddresses.has(server.address) && server.kind !== 'gateway')
      .map(({ server }) => this.#viewOf(server, false))
    const next = [...found, ...typed].map((view) => {
      const old = before.get(view.address)
      return old !== undefined && JSON.stringify(old) === JSON.stringify(view) ? old : view
    })
    const isSame = next.length === this.#views.length && next.every((view, index) => view === this.#views[index])
    this.#views = next
    if (isSame) return
    this.#listeners.notify()
  }

  async #watch(): Promise<void> {
    const everyMs = (): number => (this.#listeners.size > 0 ? this.#options.watchedMs : this.#options.idleMs)
    const dueInMs = (): number => this.#scannedAtMs + everyMs() - this.#clock.elapsedMs()
    while (!this.#isStopped()) {
      await this.scan()
      while (!this.#isStopped() && dueInMs() > 0) await this.#sleep.sleep(dueInMs())
    }
  }

  #isStopped(): boolean {
    return this.#stopped.signal.aborted
  }

  async #scanAll(): Promise<readonly DetectedServer[]> {
    const ports = this.#candidates().map((candidate) => this.#scanPort(candidate))
    const typed = [...this.#typed.values()].map(async (entry) => {
      const memory = entry.last.kind === 'server' ? entry.last.server.memory : undefined
      const last = await this.#scanOne(entry, undefined, memory)
      if (this.#typed.get(authorityOf(entry)) === entry) this.#keepTyped(entry, last)
    })
    await Promise.all([...ports, ...typed])
    this.#scannedAtMs = this.#clock.elapsedMs()
    this.refreshShared()
    return this.#views
  }

  #candidates(): Candidate[] {
    const own = this.#needs.ownPorts()
    return this.#options.candidates.filter(({ port }) => !own.includes(port))
  }

  /** IPv4 first, IPv6 where that holds no model server: a server on both is one server. */
  async #scanPort({ port, expectedKind }: Candidate): Promise<void> {
    for (const host of LOOPBACK_HOSTS) {
      const address = authorityOf({ host, port })
      const before = this.#found.get(address)
      const outcome = await this.#scanOne({ host, port }, expectedKind, before?.server.memory)
      if (!this.#takeIn(address, before, outcome)) continue
      for (const other of LOOPBACK_HOSTS) if (other !== host) this.#found.delete(authorityOf({ host: other, port }))
      return
    }
  }

  /** `localhost` is 127.0.0.1, and ::1 where that holds no model server. */
  async #scanOne(target: DetectionTarget, ...known: Known): Promise<ScanOutcome> {
    if (bareHost(target.host) !== 'localhost') return this.#scanAt(target, ...known)
    const [ipv4, ipv6] = LOOPBACK_HOSTS
    const first = await this.#scanAt({ ...target, host: ipv4 }, ...known)
    const outcome = first.kind === 'server' ? first : await this.#scanAt({ ...target, host: ipv6 }, ...known)
    return outcome.kind === 'server' ? outcome : first
  }

  #scanAt(target: DetectionTarget, ...[expectedKind, memory]: Known): Promise<ScanOutcome> {
    const host = bareHost(target.host)
    const address = authorityOf({ host, port: target.port })
    const scanTarget = {
      ...{ host, port: target.port, expectedKind, watched: this.#listeners.size > 0 },
      apiKey: target.apiKey ?? this.typedKey(address) ?? this.#needs.keyFor(address),
      headers: this.#needs.hopHeaders,
      timeoutMs: this.#options.answerMs,
      signal: this.#stopped.signal,
    }
    return scanAddress({ probe: this.#probe }, scanTarget, memory)
  }

  #takeIn(address: string, before: Found | undefined, outcome: ScanOutcome): boolean {
    if (outcome.kind === 'server') {
      const { server } = outcome
      if (before === undefined && server.kind !== 'gateway') {
        const { name, version, state, models } = server
        this.#log.info('a model server is found', { address, name, version, state, models: models.length })
      }
      this.#found.set(address, { server, silentScans: 0 })
      return true
    }
    if (outcome.kind === 'silent' && before !== undefined && before.silentScans + 1 < SILENT_SCANS) {
      const problem = 'It does not answer just now; it is probably busy.'
      const server: DetectionResult = { ...before.server, state: 'busy', problem }
      this.#found.set(address, { server, silentScans: before.silentScans + 1 })
      return true
    }
    if (this.#found.delete(address)) this.#log.info('a model server is gone', { address })
    return false
  }

  #check({ host, port }: DetectionTarget): void {
    if (!isHost(host)) throw new AppError('invalid_service', `"${host}" is neither an address nor a host name.`)
    if (!isLoopbackHost(host) && !this.#options.allowRemoteTarget) {
      const why = `${host} is not this machine. Set service.allow-remote-target if peers are really to reach it.`
      throw new AppError('invalid_service', why, { param: 'host' })
    }
    if (isLoopbackHost(host) && this.#needs.ownPorts().includes(port)) {
      const why = `${port} is a port of this node itself. Give the port of the model server.`
      throw new AppError('invalid_service', why, { param: 'port' })
    }
  }

  #viewOf(server: DetectionResult, typed: boolean): DetectedServer {
    const { basePath: _base, healthPath: _health, memory: _memory, ...facts } = server
    const sharedAs = this.#needs.sharedAs(server.address) ?? null
    return { ...facts, typed, sharedAs, remembered: this.#needs.remembered(server.address) ?? null }
  }

  #viewOfTyped({ last, ...entry }: Typed): DetectedServer {
    return this.#viewOf(last.kind === 'server' ? last.server : notFound(entry, last), true)
  }
}
