import { setTimeout as delay } from 'node:timers/promises'
import type { Connection } from '@libp2p/interface'
import { systemClock } from '../../base/clock.js'
import { SETTINGS } from '../../config/index.js'
import { bootstrapDelayMs } from './backoff.js'
import { dialAddresses } from './dial-round.js'
import { ANOTHER_PEER } from './failure-words.js'
import { parseBootstrapSettings, type ParsedBootstrap } from './parse-source.js'
import { createRememberedPeers } from './remembered-peers.js'
import { resolveSource } from './resolve-source.js'
import { createSourceStatuses } from './source-statuses.js'
import type { BootstrapClock, Bootstrapper, BootstrapperNeeds, BootstrapperOptions } from './index.js'

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
 * Finds this node's first peers. While it has none, all sources and the remembered peers are tried, then again after
 * {@link bootstrapDelayMs}; once it has one, this rests until the last is lost. `start` does not wait for any of it.
 */
export function createBootstrapper(needs: BootstrapperNeeds, options: BootstrapperOptions): Bootstrapper {
  const { host, clock = SYSTEM_CLOCK } = needs
  const log = needs.log.forComponent('bootstrap')
  let parsed = sourcesOf(options)
  const statuses = createSourceStatuses({ log }, parsed)
  const remembered = createRememberedPeers({ log }, { file: options.rememberFile })
  const remembers = options.mode === 'node'
  let stopped = new AbortController()
  let running: Promise<void> | undefined
  /** Ends the attempt or the wait that is under way: there are other sources. */
  let wake = new AbortController()
  let replaced = false
  const hasNews = (): boolean => replaced

  const attempt = async (signal: AbortSignal): Promise<void> => {
    const fromSources = parsed.sources.map(async (source) => {
      const result = await resolveSource(source, signal, needs.names)
      if (signal.aborted) return
      statuses.record(source, result, clock.now())
      if (!result.ok) return
      statuses.recordDials(source, await dialAddresses({ host, log }, result.addresses, signal))
    })
    await Promise.all([...fromSources, dialRemembered(signal), dialMachineNodes(signal)])
  }

  /** An address that another peer has by now is not good any more. */
  const dialRemembered = async (signal: AbortSignal): Promise<void> => {
    const { failed } = await dialAddresses({ host, log }, remembered.addresses(), signal)
    for (const { addresses, reason } of failed) if (reason === ANOTHER_PEER) remembered.forget(addresses)
  }

  const dialMachineNodes = async (signal: AbortSignal): Promise<void> => {
    if (options.mode !== 'local' || needs.machineNodes === undefined) return
    await dialAddresses({ host, log }, await needs.machineNodes.addresses(), signal)
  }

  const run = async (signal: AbortSignal): Promise<void> => {
    if (remembers) await remembered.load()
    let failures = 0
    let shortVisits = 0
    while (!signal.aborted) {
      if (hasPeers() && !hasNews()) {
        const sinceMs = clock.now()
        await remembered.save()
        await untilEvent('peer:disconnect', () => hasNews() || !hasPeers(), AbortSignal.any([signal, wake.signal]))
        if (hasNews()) continue
        failures = 0
        shortVisits = clock.now() - sinceMs < STABLE_AFTER_MS ? shortVisits + 1 : 0
        // A peer that takes the connection and drops it must not be dialled in a tight loop.
        if (shortVisits > 1) await untilPeerOr(bootstrapDelayMs(shortVisits - 1, clock.random()), signal)
        continue
      }
      replaced = false
      await attempt(AbortSignal.any([signal, wake.signal]))
      if (hasPeers() || hasNews()) continue
      failures += 1
      await untilPeerOr(bootstrapDelayMs(failures, clock.random()), signal)
    }
  }

  const hasPeers = (): boolean => host.libp2p.getPeers().length > 0

  /** A peer that came by itself ends the wait. */
  const untilPeerOr = async (ms: number, signal: AbortSignal): Promise<void> => {
    const enough = new AbortController()
    const either = AbortSignal.any([signal, enough.signal, wake.signal])
    await Promise.race([clock.sleep(ms, either), untilEvent('peer:connect', hasPeers, either)])
    enough.abort()
  }

  const untilEvent = async (
    name: 'peer:connect' | 'peer:disconnect',
    isReached: () => boolean,
    signal: AbortSignal,
  ): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const check = (): void => {
      if (signal.aborted || isReached()) resolve(undefined)
    }
    const { libp2p } = host
    libp2p.addEventListener(name, check)
    signal.addEventListener('abort', check, { once: true })
    check()
    await promise
    libp2p.removeEventListener(name, check)
    signal.removeEventListener('abort', check)
  }

  const onConnection = (event: CustomEvent<Connection>): void => {
    const { direction, limits, remotePeer, remoteAddr } = event.detail
    if (direction === 'outbound' && limits === undefined)
      remembered.remember(remotePeer.toString(), remoteAddr.toString())
  }

  return {
    name: 'bootstrap',
    status: () => statuses.list(),
    subscribe: (listener) => statuses.subscribe(listener),
    replaceSources(sources) {
      if (options.mode !== 'node') return
      parsed = parseBootstrapSettings(sources)
      statuses.replace(parsed)
      replaced = true
      wake.abort()
      wake = new AbortController()
    },
    start(signal) {
      signal.throwIfAborted()
      if (options.mode === 'standalone' || running !== undefined) return Promise.resolve()
      stopped = new AbortController()
      if (remembers) host.libp2p.addEventListener('connection:open', onConnection)
      running = run(stopped.signal).catch((error: unknown) => log.error('bootstrapping ended unexpectedly', { error }))
      return Promise.resolve()
    },
    async stop() {
      if (running === undefined) return
      stopped.abort()
      host.libp2p.removeEventListener('connection:open', onConnection)
      await running
      running = undefined
      if (remembers) await remembered.save()
    },
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
