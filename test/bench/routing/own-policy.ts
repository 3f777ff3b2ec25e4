import { JsonObjectBytes } from '../../../src-main/base/json/object.js'
import { Hedging } from '../../../src-main/gateway/routing/estimate/hedging.js'
import type { RequestWork } from '../../../src-main/gateway/routing/estimate/request-work.js'
import { createProviderChoice } from '../../../src-main/gateway/routing/provider-choice.js'
import { createProviderHealth } from '../../../src-main/gateway/routing/provider-health.js'
import { createProviderScores } from '../../../src-main/gateway/routing/provider-scores.js'
import { createStatusFollower } from '../../../src-main/gateway/routing/status-follower.js'
import type { NodeTable } from '../../../src-main/node-table/index.js'
import { ProviderSet } from '../../../src-main/node-table/view/provider-set.js'
import type { Host } from '../../../src-main/p2p/index.js'
import type { ModelFacts } from '../../../src-shared/model-facts.js'
import { silentLog } from '../../fixtures/hosts.js'
import type { Policy } from './policies.ts'
import { bodyOf } from './prompt.ts'
import type { SimProvider } from './provider.ts'
import type { Simulation } from './simulation.ts'
import { createStatusView } from './status-view.ts'
import type { SimRequest } from './workload.ts'

/** What a full node says with its 429: half the time a request may wait in its queue. */
const RETRY_AFTER_MS = 5_000
const ENTRIES = ['model=any']

/** What the gateway runs, over a table and a network that are simulated; also tells who is not in quarantine. */
export function createOwnPolicy(needs: {
  sim: Simulation
  providers: ReadonlyMap<string, SimProvider>
  random: () => number
  /** What a provider tells of its model; nothing without it. */
  facts?: (peerId: string) => ModelFacts | undefined
}): Policy & { routable(): string[] } {
  const { sim, providers, random, facts } = needs
  const monotonic = { elapsedMs: () => sim.now() }
  const ids = [...providers.keys()]
  const offering = new ProviderSet(ids)
  const status = createStatusView(sim, providers)
  const table = {
    status,
    providers: () => offering,
    get: (peerId: string) => (providers.has(peerId) ? {} : undefined),
    subscribe: () => () => undefined,
    health: () => ({ reader: 'full' }),
    findProviders: () => Promise.resolve(),
    offers: { providers: () => new ProviderSet(), of: () => [] },
  } as unknown as NodeTable
  const libp2p = new EventTarget()
  const gone = new Set<string>()
  const host = {
    peerId: 'this-gateway',
    libp2p,
    // A peer that failed is there again once it answers.
    isConnected: (peerId: string) => !gone.has(peerId) || health.isRoutable(peerId),
  } as unknown as Host
  const health = createProviderHealth({ host, table, monotonic, log: silentLog })
  void health.start(new AbortController().signal)
  const scores = createProviderScores({ monotonic, roundTripMs: (peerId) => providers.get(peerId)?.rttMs })
  void createStatusFollower({ table, scores }).start(new AbortController().signal)
  const choice = createProviderChoice({
    ...{ host, table, health, scores, random },
    registry: { connected: () => [] },
    admission: { hasRoom: false },
    models: { facts: (_id, peerId) => facts?.(peerId) },
    reach: { of: () => 'anyone', includes: () => true },
  })
  const hedging = new Hedging({ scores, reach: { isTrusted: () => false } })
  // The same one is asked about at each of its attempts.
  const works = new WeakMap<SimRequest, RequestWork>()
  function workOf(request: SimRequest): RequestWork {
    const known = works.get(request)
    if (known !== undefined) return known
    const bytes = bodyOf(request)
    const body = { kind: 'read' as const, bytes, json: JsonObjectBytes.from(bytes) }
    const work = choice.workOf('llm', ENTRIES, { body, path: '/v1/chat/completions' })
    works.set(request, work)
    return work
  }

  return {
    routable: () => ids.filter((peerId) => health.isRoutable(peerId)),
    async choose(request) {
      const { providers: chosen } = await choice.choose('llm', [ENTRIES], { headers: {}, work: workOf(request) })
      return chosen.flatMap((provider) => (provider.kind === 'peer' ? [provider.peerId] : []))
    },
    chooseAgain(request, asked) {
      const next = choice.chooseAgain('llm', [ENTRIES], { headers: {}, work: workOf(request) }, asked)
      return next.flatMap((provider) => (provider.kind === 'peer' ? [provider.peerId] : []))
    },
    hedge: {
      lateAfterMs: (peerId, request) => hedging.lateAfterMs(peerId, workOf(request)),
      takes: (peerId, request, waitedMs) => hedging.takes({ kind: 'peer', peerId }, workOf(request), waitedMs),
    },
    begin(peerId, request) {
      const work = workOf(request)
      const scored = scores.begin(peerId, work.at(peerId))
      return {
        firstByte(ttfbMs) {
          scored.answered(ttfbMs)
          health.reportSuccess(peerId)
          work.readBy(peerId)
        },
        end(how) {
          if (how === 'refused') scored.refused(RETRY_AFTER_MS)
          if (how === 'left') scored.left(Number.POSITIVE_INFINITY)
          scored.end()
          if (how !== 'lost') return
          gone.add(peerId)
          health.reportFailure(peerId, 'lost')
        },
      }
    },
    answered: () => undefined,
    disconnected: (peerId) =>
      void libp2p.dispatchEvent(new CustomEvent('peer:disconnect', { detail: { toString: () => peerId } })),
  }
}
