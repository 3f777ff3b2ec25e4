import type { PeerId } from '@libp2p/interface'
import { Agent, request } from 'undici'
import type { Clock } from '../../base/clock.js'
import type { Service } from '../../base/lifecycle.js'
import type { Log } from '../../logging/index.js'
import type { Host, PathLookup } from '../../p2p/index.js'
import type { ServiceRegistry } from '../../services/index.js'
import type { TrafficFeed } from '../traffic.js'
import { EventQueue, type EventQueueOptions, type SendResult } from './event-queue.js'
import {
  eventsOfRequest,
  peerEvent,
  serviceEvent,
  serviceFacts,
  type ServiceFacts,
  type TelemetryEvent,
} from './events.js'

export interface AxiomNeeds {
  traffic: Pick<TrafficFeed, 'onFinished'>
  host: Pick<Host, 'peerId' | 'libp2p' | 'connections'>
  paths: PathLookup
  registry: Pick<ServiceRegistry, 'list' | 'subscribe'>
  clock: Clock
  log: Log
}

/** Where to, and as whom. */
export interface AxiomOptions extends EventQueueOptions {
  token: string
  dataset: string
  /** Another address of Axiom's API; '' is the usual one. */
  url: string
  version: string
}

const AXIOM_URL = 'https://api.axiom.co'

/** A stop waits at most this long for what is still to be sent. */
const FLUSH_MS = 1_000

/** One request takes at most this long. */
const TIMEOUT_MS = 10_000

/** Sends structured events to Axiom; nothing a request does ever waits for it. */
export function createAxiomExporter(needs: AxiomNeeds, options: AxiomOptions): Service {
  const { traffic, host, paths, registry, clock } = needs
  const log = needs.log.forComponent('axiom')
  const agent = new Agent({ connections: 1, connect: { timeout: TIMEOUT_MS } })
  const send = (batch: readonly TelemetryEvent[], signal: AbortSignal): Promise<SendResult> =>
    ingest(agent, options, batch, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]))
  const queue = new EventQueue({ send, log }, options)
  const services = new Map<string, ServiceFacts>()
  const unsubscribe: (() => void)[] = []
  let stopping: Promise<void> | undefined

  const push = (event: TelemetryEvent): void => queue.push({ ...event, node: host.peerId, version: options.version })

  function tellServices(): void {
    const now = clock.now()
    const gone = new Set(services.keys())
    for (const service of registry.list()) {
      gone.delete(service.id)
      const facts = serviceFacts(service)
      const before = services.get(service.id)
      if (before !== undefined && sameFacts(before, facts)) continue
      services.set(service.id, facts)
      push(serviceEvent(facts, before, now))
    }
    for (const id of gone) {
      const before = services.get(id)
      services.delete(id)
      if (before !== undefined) push(serviceEvent({ ...before, status: 'removed' }, before, now))
    }
  }

  function tellPeer(event: 'Peer Connected' | 'Peer Disconnected', peer: string): void {
    const peers = new Set(host.connections().map(({ peerId }) => peerId)).size
    push(peerEvent(event, { peer, path: paths.pathTo(peer), peers }, clock.now()))
  }

  async function flush(): Promise<void> {
    for (const stop of unsubscribe.splice(0)) stop()
    await queue.close(FLUSH_MS)
    await agent.destroy()
  }

  return {
    name: 'axiom',
    start() {
      const { libp2p } = host
      const onConnect = (event: CustomEvent<PeerId>): void => tellPeer('Peer Connected', event.detail.toString())
      const onDisconnect = (event: CustomEvent<PeerId>): void => tellPeer('Peer Disconnected', event.detail.toString())
      libp2p.addEventListener('peer:connect', onConnect)
      libp2p.addEventListener('peer:disconnect', onDisconnect)
      unsubscribe.push(
        () => libp2p.removeEventListener('peer:connect', onConnect),
        () => libp2p.removeEventListener('peer:disconnect', onDisconnect),
        traffic.onFinished((entry) => eventsOfRequest(entry).forEach(push)),
        registry.subscribe(tellServices),
      )
      tellServices()
      log.info('events go to Axiom', { dataset: options.dataset })
      return Promise.resolve()
    },
    stop() {
      stopping ??= flush()
      return stopping
    },
  }
}

function sameFacts(a: ServiceFacts, b: ServiceFacts): boolean {
  return a.status === b.status && a.published === b.published && a.models === b.models
}

/** Posts a batch to Axiom's ingest API; never rejects. The token is in the request's header and nowhere else. */
async function ingest(
  dispatcher: Agent,
  { url, dataset, token }: AxiomOptions,
  batch: readonly TelemetryEvent[],
  signal: AbortSignal,
): Promise<SendResult> {
  const target = new URL(url === '' ? AXIOM_URL : url)
  // An address with a path is an ingest address already.
  if (target.pathname === '/') target.pathname = `/v1/datasets/${encodeURIComponent(dataset)}/ingest`
  try {
    const { statusCode, body } = await request(target, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(batch),
      dispatcher,
      signal,
    })
    await body.dump({ limit: 65_536 })
    if (statusCode >= 200 && statusCode < 300) return { kind: 'sent' }
    const isPassing = statusCode === 429 || statusCode >= 500
    return { kind: isPassing ? 'retry' : 'refused', reason: `Axiom answered ${statusCode}` }
  } catch (error) {
    return { kind: 'retry', reason: error instanceof Error ? error.message.slice(0, 200) : 'not reachable' }
  }
}
