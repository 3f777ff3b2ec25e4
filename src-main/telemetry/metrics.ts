import { type Counter, type Gauge, type Histogram, Registry } from 'prom-client'
import { PathKindSchema } from '#shared/contract/network/peers.js'
import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import type { Service } from '../base/lifecycle.js'
import type { NodeTable } from '../node-table/index.js'
import type { Host } from '../p2p/index.js'
import type { LocalServiceStatus, ServiceRegistry } from '../services/index.js'
import { createLibp2pMetrics, type Libp2pMetrics } from './libp2p-metrics.js'
import { MetricMakers, type MetricName } from './metrics-table.js'
import { addProcessMetrics } from './process-metrics.js'
import { errorCodeOf, outcomeOf } from './rollup.js'
import type { TrafficFeed } from './traffic.js'

/** The figures of a node for Prometheus. */
export interface Metrics extends Service {
  /** The text of `/metrics`; gauges are read now. */
  render(): Promise<string>
  readonly contentType: string
  /** What libp2p reports into. */
  readonly libp2p: Libp2pMetrics
}

/** What is read when figures are asked for. Parts of the node that come later than the metrics do. */
export interface MetricSources {
  host: Pick<Host, 'connections'>
  table: Pick<NodeTable, 'size' | 'subscribe' | 'health'>
  registry: Pick<ServiceRegistry, 'list'>
  /** HTTP streams to peers. */
  streams: () => { pools: number; streams: number }
}

/** The metrics of the table in a registry of their own. Before {@link MetricSources} are given gauges are absent. */
export function createMetrics(
  needs: { traffic: Pick<TrafficFeed, 'onFinished' | 'running'>; sources: () => MetricSources | undefined },
  options: { version: string },
): Metrics {
  const { traffic, sources } = needs
  const registry = new Registry()
  const makers = new MetricMakers(registry)
  const requests = new RequestMetrics(makers)
  const tableChanges = makers.counter('ocf_table_changes_total')
  makers.gauge('ocf_info', (info) => info.set({ version: options.version }, 1))
  makers.gauge('ocf_requests_in_flight', (running) => running.set(traffic.running))
  addNodeMetrics(makers, sources)
  const process = addProcessMetrics(makers)
  const libp2p = createLibp2pMetrics({ registry })
  const unsubscribe: (() => void)[] = []

  return {
    name: 'metrics',
    contentType: registry.contentType,
    libp2p,
    render: () => registry.metrics(),
    start() {
      process.start()
      unsubscribe.push(traffic.onFinished((entry) => requests.observe(entry)))
      const table = sources()?.table
      if (table === undefined) return Promise.resolve()
      unsubscribe.push(
        table.subscribe((event) => {
          const change = event.type === 'row:removed' ? event.reason : event.type === 'row:added' ? 'added' : 'changed'
          tableChanges.inc({ change })
        }),
      )
      return Promise.resolve()
    },
    stop() {
      for (const stop of unsubscribe.splice(0)) stop()
      process.stop()
      return Promise.resolve()
    },
  }
}

/** Figures that are read from the node's parts whenever they are asked for. */
function addNodeMetrics(makers: MetricMakers, sources: () => MetricSources | undefined): void {
  function gauge(name: MetricName, collect: (gauge: Gauge, sources: MetricSources) => void): void {
    makers.gauge(name, (made) => {
      const known = sources()
      if (known !== undefined) collect(made, known)
    })
  }

  gauge('ocf_peers', (peers, { host }) => {
    for (const [path, count] of peersByPath(host)) peers.set({ path }, count)
  })
  gauge('ocf_connections', (connections, { host }) => {
    for (const direction of ['inbound', 'outbound'] as const) connections.set({ direction }, 0)
    for (const { direction } of host.connections()) connections.inc({ direction })
  })
  gauge('ocf_http_pools', (pools, { streams }) => pools.set(streams().pools))
  gauge('ocf_http_streams', (open, { streams }) => open.set(streams().streams))
  gauge('ocf_table_rows', (rows, { table }) => rows.set(table.size))
  gauge('ocf_table_banned_peers', (banned, { table }) => banned.set(table.health().bannedPeers.length))
  gauge('ocf_services', (services, { registry }) => {
    for (const status of SERVICE_STATUSES) services.set({ status }, 0)
    for (const { status } of registry.list()) services.inc({ status })
  })
  gauge('ocf_models', (models, { registry }) => {
    const connected = registry.list().filter(({ status }) => status === 'connected')
    models.set(new Set(connected.flatMap((service) => service.models.map(({ id }) => id))).size)
  })
}

/** Counts requests that ended. */
class RequestMetrics {
  readonly #requests: Counter
  readonly #errors: Counter
  readonly #attempts: Counter
  readonly #bytesIn: Counter
  readonly #bytesOut: Counter
  readonly #tokens: Counter
  readonly #ttfb: Histogram
  readonly #duration: Histogram

  constructor(makers: MetricMakers) {
    this.#requests = makers.counter('ocf_requests_total')
    this.#errors = makers.counter('ocf_request_errors_total')
    this.#attempts = makers.counter('ocf_tries_total')
    this.#bytesIn = makers.counter('ocf_request_body_bytes_total')
    this.#bytesOut = makers.counter('ocf_response_body_bytes_total')
    this.#tokens = makers.counter('ocf_tokens_total')
    this.#ttfb = makers.histogram('ocf_ttfb_seconds')
    this.#duration = makers.histogram('ocf_request_duration_seconds')
  }

  observe(entry: Readonly<TrafficEntry>): void {
    const { direction } = entry
    const outcome = outcomeOf(entry)
    this.#requests.inc({
      direction,
      service: entry.service === 'llm' ? 'llm' : 'other',
      code: codeClass(entry.status),
      outcome,
    })
    if (outcome === 'failed') this.#errors.inc({ direction, code: boundedCode(entry) })
    for (const attempt of entry.legs) {
      this.#attempts.inc({ provider: attempt.peer === null ? 'self' : 'peer', outcome: attempt.outcome })
    }
    if (entry.ttfbMs !== null) this.#ttfb.observe({ direction }, entry.ttfbMs / 1000)
    if (entry.durationMs !== null) this.#duration.observe({ direction }, entry.durationMs / 1000)
    if (entry.bytesIn > 0) this.#bytesIn.inc({ direction }, entry.bytesIn)
    if (entry.bytesOut > 0) this.#bytesOut.inc({ direction }, entry.bytesOut)
    if (entry.tokensIn !== null) this.#tokens.inc({ direction, kind: 'prompt' }, entry.tokensIn)
    if (entry.tokens !== null) this.#tokens.inc({ direction, kind: 'completion' }, entry.tokens)
  }
}

const SERVICE_STATUSES: readonly LocalServiceStatus[] = ['starting', 'connected', 'down']

/** `2xx` … `5xx`; `none` where no head was sent. */
function codeClass(status: number | null): string {
  return status === null || status < 100 || status > 599 ? 'none' : `${Math.floor(status / 100)}xx`
}

/** A code of our vocabulary, or the class of a server's own answer: never more labels than those. */
function boundedCode(entry: Readonly<TrafficEntry>): string {
  return (errorCodeOf(entry) ?? 'internal').replace(/^http_(\d)\d+$/, 'http_$1xx')
}

function peersByPath(host: MetricSources['host']): Map<string, number> {
  const paths = new Map<string, string>()
  for (const { peerId, path } of host.connections()) {
    if (!paths.has(peerId) || paths.get(peerId) === 'relayed') paths.set(peerId, path)
  }
  const counts = new Map<string, number>(PathKindSchema.options.map((path) => [path, 0]))
  for (const path of paths.values()) counts.set(path, (counts.get(path) ?? 0) + 1)
  return counts
}
