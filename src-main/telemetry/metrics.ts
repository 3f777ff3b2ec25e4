import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { PathKindSchema } from '#shared/contract/peers.js'
import type { TrafficEntry } from '#shared/contract/traffic.js'
import type { Service } from '../base/lifecycle.js'
import type { NodeTable } from '../node-table/index.js'
import type { Host } from '../p2p/index.js'
import type { LocalServiceStatus, ServiceRegistry } from '../services/index.js'
import { createLibp2pMetrics, type Libp2pMetrics } from './libp2p-metrics.js'
import { METRICS, type MetricName, type MetricRow } from './metrics-table.js'
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

/** The metrics of {@link METRICS} in a registry of their own. Before {@link MetricSources} are given gauges are absent. */
export function createMetrics(
  needs: { traffic: Pick<TrafficFeed, 'onFinished' | 'running'>; sources: () => MetricSources | undefined },
  options: { version: string },
): Metrics {
  const { traffic, sources } = needs
  const registry = new Registry()
  const counters = {
    requests: counter('ocf_requests_total'),
    errors: counter('ocf_request_errors_total'),
    tries: counter('ocf_tries_total'),
    bytesIn: counter('ocf_request_body_bytes_total'),
    bytesOut: counter('ocf_response_body_bytes_total'),
    tokens: counter('ocf_tokens_total'),
    tableChanges: counter('ocf_table_changes_total'),
  }
  const ttfb = histogram('ocf_ttfb_seconds')
  const duration = histogram('ocf_request_duration_seconds')
  gauge('ocf_info', (info) => info.set({ version: options.version }, 1))
  gauge('ocf_requests_in_flight', (running) => running.set(traffic.running))
  sourceGauge('ocf_peers', (peers, { host }) => {
    for (const [path, count] of peersByPath(host)) peers.set({ path }, count)
  })
  sourceGauge('ocf_connections', (connections, { host }) => {
    for (const direction of ['inbound', 'outbound'] as const) connections.set({ direction }, 0)
    for (const { direction } of host.connections()) connections.inc({ direction })
  })
  sourceGauge('ocf_http_pools', (pools, { streams }) => pools.set(streams().pools))
  sourceGauge('ocf_http_streams', (open, { streams }) => open.set(streams().streams))
  sourceGauge('ocf_table_rows', (rows, { table }) => rows.set(table.size))
  sourceGauge('ocf_table_banned_peers', (banned, { table }) => banned.set(table.health().bannedPeers.length))
  sourceGauge('ocf_services', (services, needed) => {
    for (const status of SERVICE_STATUSES) services.set({ status }, 0)
    for (const { status } of needed.registry.list()) services.inc({ status })
  })
  sourceGauge('ocf_models', (models, needed) => {
    const connected = needed.registry.list().filter(({ status }) => status === 'connected')
    models.set(new Set(connected.flatMap((service) => service.models.map(({ id }) => id))).size)
  })
  const process = addProcessMetrics({ gauge, counter })
  const libp2p = createLibp2pMetrics({ registry })
  const unsubscribe: (() => void)[] = []

  function row(name: MetricName): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
    const { help, labels }: MetricRow = METRICS[name]
    return { name, help, labelNames: [...labels], registers: [registry] }
  }

  function counter(name: MetricName, collect?: (counter: Counter) => void): Counter {
    const made: Counter = new Counter({
      ...row(name),
      ...(collect === undefined ? {} : { collect: () => collect(made) }),
    })
    return made
  }

  function gauge(name: MetricName, collect: (gauge: Gauge) => void): void {
    const made: Gauge = new Gauge({ ...row(name), collect: () => collect(made) })
  }

  function sourceGauge(name: MetricName, collect: (gauge: Gauge, sources: MetricSources) => void): void {
    gauge(name, (made) => {
      const known = sources()
      if (known !== undefined) collect(made, known)
    })
  }

  function histogram(name: MetricName): Histogram {
    const { buckets }: MetricRow = METRICS[name]
    return new Histogram({ ...row(name), ...(buckets === undefined ? {} : { buckets: [...buckets] }) })
  }

  function observe(entry: Readonly<TrafficEntry>): void {
    const { direction } = entry
    const outcome = outcomeOf(entry)
    counters.requests.inc({
      direction,
      service: entry.service === 'llm' ? 'llm' : 'other',
      code: codeClass(entry.status),
      outcome,
    })
    if (outcome === 'failed') counters.errors.inc({ direction, code: boundedCode(entry) })
    for (const leg of entry.legs) {
      counters.tries.inc({ provider: leg.peer === null ? 'self' : 'peer', outcome: leg.outcome })
    }
    if (entry.ttfbMs !== null) ttfb.observe({ direction }, entry.ttfbMs / 1000)
    if (entry.durationMs !== null) duration.observe({ direction }, entry.durationMs / 1000)
    if (entry.bytesIn > 0) counters.bytesIn.inc({ direction }, entry.bytesIn)
    if (entry.bytesOut > 0) counters.bytesOut.inc({ direction }, entry.bytesOut)
    if (entry.tokensIn !== null) counters.tokens.inc({ direction, kind: 'prompt' }, entry.tokensIn)
    if (entry.tokens !== null) counters.tokens.inc({ direction, kind: 'completion' }, entry.tokens)
  }

  return {
    name: 'metrics',
    contentType: registry.contentType,
    libp2p,
    render: () => registry.metrics(),
    start() {
      process.start()
      unsubscribe.push(traffic.onFinished(observe))
      const table = sources()?.table
      if (table === undefined) return Promise.resolve()
      unsubscribe.push(
        table.subscribe((event) => {
          const change = event.type === 'row:removed' ? event.reason : event.type === 'row:added' ? 'added' : 'changed'
          counters.tableChanges.inc({ change })
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
