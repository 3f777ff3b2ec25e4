import { setTimeout as delay } from 'node:timers/promises'
import type { Connection } from '@libp2p/interface'
import { systemClock } from '../../base/clock.js'
import { SETTINGS } from '../../config/index.js'
import type { Log } from '../../logging/index.js'
import { bootstrapDelayMs } from './backoff.js'
import { dialAddresses, forgetMetPeers } from './dial-round.js'
import { ANOTHER_PEER } from './failure-words.js'
import { parseBootstrapSettings, type ParsedBootstrap, type RawBootstrapSetting } from './parse-source.js'
import { createRememberedPeers, type RememberedPeers } from './remembered-peers.js'
import { namedAddresses, resolveSource } from './resolve-source.js'
import { createSourceStatuses, type SourceStatuses } from './source-statuses.js'
import type {
  BootstrapClock,
  Bootstrapper,
  BootstrapperNeeds,
  BootstrapperOptions,
  BootstrapSourceStatus,
} from './index.js'

/** Where the first node of a machine listens, of another user too: its peer id is learnt while dialling. */
const LOCAL_NODE = `/ip4/127.0.0.1/tcp/${SETTINGS.tcpport.default}`

/** A connection that lasts this long counts as good: the next loss is answered at once again. */
const STABLE_AFTER_MS = 30_000

const SYSTEM_CLOCK: BootstrapClock = {
  now: () => systemClock.now(),
  random: Math.random,
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
}

/**
 * Finds this node's first peers. At the start, and while it has none, all sources and the remembered peers are tried,
 * then again after {@link bootstrapDelayMs}; once it has one, this rests until the last is lost. `start` does not wait for
 * any of it.
 */
export function createBootstrapper(needs: BootstrapperNeeds, options: BootstrapperOptions): Bootstrapper {
  return new SourceBootstrapper(needs, options)
}

class SourceBootstrapper implements Bootstrapper {
  readonly name = 'bootstrap'
  readonly #needs: BootstrapperNeeds
  readonly #options: BootstrapperOptions
  readonly #clock: BootstrapClock
  readonly #log: Log
  readonly #statuses: SourceStatuses
  readonly #remembered: RememberedPeers
  #parsed: ParsedBootstrap
  #stopped = new AbortController()
  #running: Promise<void> | undefined
  /** Ends the attempt or the wait that is under way: there are other sources. */
  #wake = new AbortController()
  /** These sources have not been asked yet. Peers that are there already, as they came by themselves, replace none. */
  #areSourcesNew = true

  constructor(needs: BootstrapperNeeds, options: BootstrapperOptions) {
    this.#needs = needs
    this.#options = options
    this.#clock = needs.clock ?? SYSTEM_CLOCK
    this.#log = needs.log.forComponent('bootstrap')
    this.#parsed = sourcesOf(options)
    this.#statuses = createSourceStatuses({ log: this.#log }, this.#parsed)
    this.#remembered = createRememberedPeers({ log: this.#log }, { file: options.rememberFile })
  }

  status(): BootstrapSourceStatus[] {
    return this.#statuses.list()
  }

  subscribe(listener: () => void): () => void {
    return this.#statuses.subscribe(listener)
  }

  replaceSources(sources: readonly RawBootstrapSetting[]): void {
    if (this.#options.mode !== 'node') return
    this.#parsed = parseBootstrapSettings(sources)
    this.#statuses.replace(this.#parsed)
    this.#areSourcesNew = true
    this.#wake.abort()
    this.#wake = new AbortController()
  }

  async forgetPeers(isKept: (peerId: string) => boolean): Promise<void> {
    this.#remembered.forgetAll(isKept)
    await forgetMetPeers(this.#needs.host, this.#log, isKept)
    await this.#remembered.save()
  }

  start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#options.mode === 'standalone' || this.#running !== undefined) return Promise.resolve()
    this.#stopped = new AbortController()
    if (this.#remembers) this.#needs.host.libp2p.addEventListener('connection:open', this.#onConnection)
    this.#running = this.#run(this.#stopped.signal).catch((error: unknown) => {
      this.#log.error('bootstrapping ended unexpectedly', { error })
    })
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    if (this.#running === undefined) return
    this.#stopped.abort()
    this.#needs.host.libp2p.removeEventListener('connection:open', this.#onConnection)
    await this.#running
    this.#running = undefined
    if (this.#remembers) await this.#remembered.save()
  }

  get #remembers(): boolean {
    return this.#options.mode === 'node'
  }

  readonly #onConnection = (event: CustomEvent<Connection>): void => {
    const { direction, limits, remotePeer, remoteAddr } = event.detail
    if (direction === 'outbound' && limits === undefined)
      this.#remembered.remember(remotePeer.toString(), remoteAddr.toString())
  }

  async #run(signal: AbortSignal): Promise<void> {
    if (this.#remembers) await this.#remembered.load()
    let failures = 0
    let shortVisits = 0
    while (!signal.aborted) {
      if (this.#hasPeers() && !this.#hasNews()) {
        const stayedMs = await this.#restWhileConnected(signal)
        if (this.#hasNews()) continue
        failures = 0
        shortVisits = stayedMs < STABLE_AFTER_MS ? shortVisits + 1 : 0
        // A peer that takes the connection and drops it must not be dialled in a tight loop.
        if (shortVisits > 1) await this.#untilPeerOr(shortVisits - 1, signal)
        continue
      }
      this.#areSourcesNew = false
      await this.#attempt(AbortSignal.any([signal, this.#wake.signal]))
      if (this.#hasPeers() || this.#hasNews()) continue
      failures += 1
      await this.#untilPeerOr(failures, signal)
    }
  }

  #hasPeers(): boolean {
    return this.#needs.host.libp2p.getPeers().length > 0
  }

  #hasNews(): boolean {
    return this.#areSourcesNew
  }

  /** Resolves to how long (ms) there was a peer. */
  async #restWhileConnected(signal: AbortSignal): Promise<number> {
    const sinceMs = performance.now()
    await this.#remembered.save()
    const isOver = (): boolean => this.#hasNews() || !this.#hasPeers()
    await this.#untilEvent('peer:disconnect', isOver, AbortSignal.any([signal, this.#wake.signal]))
    return performance.now() - sinceMs
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const { host, names } = this.#needs
    const fromSources = this.#parsed.sources.map(async (source) => {
      const result = await resolveSource(source, signal, names)
      if (signal.aborted) return
      this.#statuses.record(source, result, this.#clock.now())
      if (!result.ok) return
      host.nameAddresses?.(namedAddresses(source, result.addresses))
      this.#statuses.recordDials(source, await dialAddresses({ host, log: this.#log }, result.addresses, signal))
    })
    await Promise.all([...fromSources, this.#dialRemembered(signal), this.#dialMachineNodes(signal)])
  }

  async #dialMachineNodes(signal: AbortSignal): Promise<void> {
    const { host, machineNodes } = this.#needs
    if (this.#options.mode !== 'local' || machineNodes === undefined) return
    const addresses = await machineNodes.addresses()
    host.nameAddresses?.(addresses)
    await dialAddresses({ host, log: this.#log }, addresses, signal)
  }

  /** An address that another peer has by now is not good any more. */
  async #dialRemembered(signal: AbortSignal): Promise<void> {
    const needs = { host: this.#needs.host, log: this.#log }
    const addresses = this.#remembered.addresses()
    needs.host.nameAddresses?.(addresses)
    const { failed } = await dialAddresses(needs, addresses, signal)
    for (const { addresses, reason } of failed) if (reason === ANOTHER_PEER) this.#remembered.forget(addresses)
  }

  /** A pause after so many failures; a peer that connects ends it. */
  async #untilPeerOr(failures: number, signal: AbortSignal): Promise<void> {
    const enough = new AbortController()
    const either = AbortSignal.any([signal, enough.signal, this.#wake.signal])
    const pauseMs = bootstrapDelayMs(failures, this.#clock.random())
    await Promise.race([
      this.#clock.sleep(pauseMs, either),
      this.#untilEvent('peer:connect', () => this.#hasPeers(), either),
    ])
    enough.abort()
  }

  async #untilEvent(
    name: 'peer:connect' | 'peer:disconnect',
    isReached: () => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const check = (): void => {
      if (signal.aborted || isReached()) resolve(undefined)
    }
    const { libp2p } = this.#needs.host
    libp2p.addEventListener(name, check)
    signal.addEventListener('abort', check, { once: true })
    check()
    await promise
    libp2p.removeEventListener(name, check)
    signal.removeEventListener('abort', check)
  }
}

function sourcesOf(options: BootstrapperOptions): ParsedBootstrap {
  switch (options.mode) {
    case 'standalone':
      return { sources: [], problems: [] }
    case 'local':
      return parseBootstrapSettings([{ setting: 'mode', values: [LOCAL_NODE] }])
    case 'node':
      return parseBootstrapSettings(options.sources)
  }
}
