import { SERVER_NAMES, type DetectedServer } from '#shared/contract/detection.js'
import { AppError } from '#shared/errors.js'
import type { Log } from '../../logging/index.js'
import { createHttpProbe } from '../registry/http-probe.js'
import { systemSleepingClock, type SleepingClock } from '../../base/sleeping-clock.js'
import { authorityOf, bareHost, isHost, isLoopbackHost } from '../registry/target.js'
import { LOOPBACK_HOSTS, USUAL_CANDIDATES, type Candidate } from './candidates.js'
import type { DetectionTarget, Detector } from './index.js'
import { lookAt, type LookResult, type Memory, type Sighting } from './look.js'

export interface DetectorNeeds {
  log: Log
  clock?: SleepingClock
  /** The kept key of a server, by its address. */
  keyFor: (address: string) => string | undefined
  /** Under which id an address is shared. */
  sharedAs: (address: string) => string | undefined
  /** This node's own ports: what answers there is ourselves. */
  ownPorts: () => readonly number[]
  /** Sent with each question; a gateway in front of this node brings it back. */
  hopHeaders: Readonly<Record<string, string>>
}

export interface DetectorOptions {
  /** Default {@link USUAL_CANDIDATES}. */
  candidates?: readonly Candidate[]
  /** Whether another machine may be typed in (default false). */
  allowRemoteTarget?: boolean
  /** Between two looks while somebody follows (default 15 s) and otherwise (default 60 s). */
  watchedMs?: number
  idleMs?: number
  /** For one answer (default 2 s) and for a connection (default 500 ms). */
  answerMs?: number
  connectMs?: number
}

/** Typed-in addresses that are kept. */
const MAX_TYPED = 16
/** A server that was there and is silent is busy; after so many silent looks it is gone. */
const SILENT_LOOKS = 4

interface Known {
  sighting: Sighting
  silent: number
}

/** A detector; it looks from its start on. */
export function createDetector(needs: DetectorNeeds, options: DetectorOptions = {}): Detector {
  const log = needs.log.forComponent('detection')
  const clock = needs.clock ?? systemSleepingClock
  const { candidates = USUAL_CANDIDATES, allowRemoteTarget = false } = options
  const { watchedMs = 15_000, idleMs = 60_000, answerMs = 2_000, connectMs = 500 } = options
  const probe = createHttpProbe({ connectTimeoutMs: connectMs })
  const stopped = new AbortController()
  const known = new Map<string, Known>()
  const typed = new Map<string, DetectionTarget & { last: LookResult }>()
  const listeners = new Set<() => void>()
  let views: DetectedServer[] = []
  let looking: Promise<readonly DetectedServer[]> | undefined
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let nap = new AbortController()
  let running: Promise<void> | undefined

  function keyOf(address: string): string | undefined {
    return typed.get(address)?.apiKey ?? needs.keyFor(address)
  }

  function lookOnce(target: DetectionTarget, keeper?: Candidate['keeper'], memory?: Memory): Promise<LookResult> {
    const host = bareHost(target.host)
    const where = {
      host,
      port: target.port,
      keeper,
      apiKey: target.apiKey ?? keyOf(authorityOf({ host, port: target.port })),
    }
    const how = {
      hopHeaders: needs.hopHeaders,
      timeoutMs: answerMs,
      watched: listeners.size > 0,
      signal: stopped.signal,
    }
    return lookAt({ probe }, { ...where, ...how }, memory)
  }

  /** IPv4 first, IPv6 where that holds no model server: a server on both is one server. */
  async function lookAtPort({ port, keeper }: Candidate): Promise<void> {
    for (const host of LOOPBACK_HOSTS) {
      const address = authorityOf({ host, port })
      const before = known.get(address)
      const result = await lookOnce({ host, port }, keeper, before?.sighting.memory)
      const isThere = takeIn(address, before, result)
      if (!isThere) continue
      for (const other of LOOPBACK_HOSTS) if (other !== host) known.delete(authorityOf({ host: other, port }))
      return
    }
  }

  function takeIn(address: string, before: Known | undefined, result: LookResult): boolean {
    if (result.kind === 'server') {
      if (before === undefined && result.sighting.kind !== 'gateway') {
        const { name, version, state, models } = result.sighting
        log.info('a model server is found', { address, name, version, state, models: models.length })
      }
      known.set(address, { sighting: result.sighting, silent: 0 })
      return true
    }
    if (result.kind === 'silent' && before !== undefined && before.silent + 1 < SILENT_LOOKS) {
      const problem = 'It does not answer just now; it is probably busy.'
      known.set(address, { sighting: { ...before.sighting, state: 'busy', problem }, silent: before.silent + 1 })
      return true
    }
    if (known.delete(address)) log.info('a model server is gone', { address })
    return false
  }

  async function lookEverywhere(): Promise<readonly DetectedServer[]> {
    const own = needs.ownPorts()
    const ports = candidates.filter(({ port }) => !own.includes(port))
    const looks = ports.map(lookAtPort)
    const typedLooks = [...typed.values()].map(async (entry) => {
      const memory = entry.last.kind === 'server' ? entry.last.sighting.memory : undefined
      entry.last = await lookOnce(entry, undefined, memory)
    })
    await Promise.all([...looks, ...typedLooks])
    lookedAtMs = clock.now()
    refresh()
    return views
  }

  function look(): Promise<readonly DetectedServer[]> {
    looking ??= lookEverywhere().finally(() => (looking = undefined))
    return looking
  }

  function refresh(): void {
    const before = new Map(views.map((view) => [view.address, view]))
    const typedViews = [...typed.values()].map((entry) => viewOfTyped(entry, needs.sharedAs))
    const own = new Set(typedViews.map(({ address }) => address))
    const found = [...known.values()]
      // A gateway nobody typed in is no news.
      .filter(({ sighting }) => !own.has(sighting.address) && sighting.kind !== 'gateway')
      .map(({ sighting }) => viewOf(sighting, false, needs.sharedAs))
    const next = [...found, ...typedViews].map((view) => {
      const old = before.get(view.address)
      return old !== undefined && JSON.stringify(old) === JSON.stringify(view) ? old : view
    })
    const isSame = next.length === views.length && next.every((view, index) => view === views[index])
    views = next
    if (isSame) return
    for (const listener of [...listeners]) listener()
  }

  async function watch(): Promise<void> {
    while (!isStopped()) {
      await look()
      const everyMs = (): number => (listeners.size > 0 ? watchedMs : idleMs)
      while (!isStopped() && clock.now() - lookedAtMs < everyMs()) {
        nap = new AbortController()
        await clock.sleep(everyMs() - (clock.now() - lookedAtMs), AbortSignal.any([nap.signal, stopped.signal]))
      }
    }
  }

  function isStopped(): boolean {
    return stopped.signal.aborted
  }

  function checkTarget(target: DetectionTarget): void {
    const { host, port } = target
    if (!isHost(host)) throw new AppError('invalid_service', `"${host}" is neither an address nor a host name.`)
    if (!isLoopbackHost(host) && !allowRemoteTarget) {
      throw new AppError(
        'invalid_service',
        `${host} is not this machine. Set service.allow-remote-target if peers are really to reach it.`,
        { param: 'host' },
      )
    }
    if (isLoopbackHost(host) && needs.ownPorts().includes(port)) {
      throw new AppError(
        'invalid_service',
        `${port} is a port of this node itself. Give the port of the model server.`,
        {
          param: 'port',
        },
      )
    }
  }

  return {
    name: 'detection',
    servers: () => views,
    look,
    async typeIn(target) {
      checkTarget(target)
      const entry = { ...target, host: bareHost(target.host) }
      const address = authorityOf(entry)
      if (typed.size >= MAX_TYPED && !typed.has(address)) {
        throw new AppError('invalid_service', `${MAX_TYPED} addresses are typed in already. Forget one first.`)
      }
      const last = await lookOnce(entry)
      typed.set(address, { ...entry, last })
      refresh()
      return viewOfTyped({ ...entry, last }, needs.sharedAs)
    },
    forget(address) {
      const wasTyped = typed.delete(address)
      if (wasTyped) refresh()
      return wasTyped
    },
    async inspect(target) {
      checkTarget(target)
      const address = authorityOf(target)
      const keeper = candidates.find(({ port }) => port === target.port)?.keeper
      const result = await lookOnce(target, keeper)
      if (result.kind !== 'server') {
        const why = result.kind === 'silent' ? 'it does not answer in time' : result.why
        throw new AppError('invalid_service', `There is no model server at ${address}: ${why}.`)
      }
      const { state, problem } = result.sighting
      if (state === 'unusable' || state === 'needs-key') {
        const param = state === 'needs-key' ? { param: 'apiKey' } : {}
        throw new AppError('invalid_service', `${address} can't be shared: ${problem ?? state}`, param)
      }
      return result.sighting
    },
    typedKey: (address) => typed.get(address)?.apiKey,
    follow(listener) {
      listeners.add(listener)
      // The first look of a person is a fresh one.
      nap.abort()
      return () => void listeners.delete(listener)
    },
    refreshShared: refresh,
    start(signal) {
      signal.throwIfAborted()
      running ??= watch().catch((error: unknown) => log.error('looking for model servers failed', { error }))
      return Promise.resolve()
    },
    async stop() {
      stopped.abort()
      await running
      await probe.close()
    },
  }
}

function viewOf(sighting: Sighting, typed: boolean, sharedAs: DetectorNeeds['sharedAs']): DetectedServer {
  const { basePath: _base, healthPath: _health, memory: _memory, ...facts } = sighting
  return { ...facts, typed, sharedAs: sharedAs(sighting.address) ?? null }
}

function viewOfTyped(
  entry: DetectionTarget & { last: LookResult },
  sharedAs: DetectorNeeds['sharedAs'],
): DetectedServer {
  const { last, host, port } = entry
  if (last.kind === 'server') return viewOf(last.sighting, true, sharedAs)
  const why = last.kind === 'silent' ? 'it does not answer in time' : last.why
  const address = authorityOf(entry)
  return {
    ...{ address, host, port },
    kind: 'openai-compatible',
    name: SERVER_NAMES['openai-compatible'],
    version: null,
    state: 'not-found',
    problem: `There is no model server at ${address}: ${why}.`,
    models: [],
    load: null,
    typed: true,
    sharedAs: sharedAs(address) ?? null,
  }
}
