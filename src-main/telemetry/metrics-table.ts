import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** One metric of `/metrics`: what it counts and by which labels. Label values come from short closed lists. */
export interface MetricRow {
  type: 'counter' | 'gauge' | 'histogram'
  help: string
  labels: readonly string[]
  /** Upper bounds in seconds. */
  buckets?: readonly number[]
}

const TTFB_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const DURATION_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

/**
 * Every metric of this node, besides libp2p's own. The registry is built from it and docs/operating.md shows it.
 * `direction`: `out` a local app used a peer, `in` a peer used this machine, `local` a local app used this machine.
 */
export const METRICS = {
  ocf_requests_total: {
    type: 'counter',
    help: 'Forwarded requests that ended. service: llm, other. code: 2xx … 5xx, none. outcome: ok, failed, cancelled.',
    labels: ['direction', 'service', 'code', 'outcome'],
  },
  ocf_request_errors_total: {
    type: 'counter',
    help: 'Forwarded requests that failed, by code of the error vocabulary; http_4xx and http_5xx are a server’s own answers.',
    labels: ['direction', 'code'],
  },
  ocf_tries_total: {
    type: 'counter',
    help: 'Attempts at providers. provider: self, peer. outcome: answered, refused, failed, broke-off, client-gone.',
    labels: ['provider', 'outcome'],
  },
  ocf_requests_in_flight: { type: 'gauge', help: 'Forwarded requests that have not ended.', labels: [] },
  ocf_ttfb_seconds: {
    type: 'histogram',
    help: 'From a request’s arrival to the head of its answer.',
    labels: ['direction'],
    buckets: TTFB_BUCKETS,
  },
  ocf_request_duration_seconds: {
    type: 'histogram',
    help: 'From a request’s arrival to its end.',
    labels: ['direction'],
    buckets: DURATION_BUCKETS,
  },
  ocf_request_body_bytes_total: { type: 'counter', help: 'Bytes of requests’ bodies.', labels: ['direction'] },
  ocf_response_body_bytes_total: { type: 'counter', help: 'Bytes of answers’ bodies.', labels: ['direction'] },
  ocf_tokens_total: {
    type: 'counter',
    help: 'Tokens. kind: prompt (where servers tell), completion (told, else pieces counted).',
    labels: ['direction', 'kind'],
  },
  ocf_peers: {
    type: 'gauge',
    help: 'Connected peers by the path new streams take: direct-tcp, direct-ws, direct-quic, hole-punched, relayed.',
    labels: ['path'],
  },
  ocf_connections: { type: 'gauge', help: 'Open connections to peers.', labels: ['direction'] },
  ocf_http_pools: { type: 'gauge', help: 'Peers this node keeps a pool of HTTP streams for.', labels: [] },
  ocf_http_streams: { type: 'gauge', help: 'HTTP streams to peers that are open.', labels: [] },
  ocf_table_rows: { type: 'gauge', help: 'Live rows of the node table.', labels: [] },
  ocf_table_changes_total: {
    type: 'counter',
    help: 'Changes of the node table. change: added, changed, withdrawn, expired, banned, over-quota.',
    labels: ['change'],
  },
  ocf_table_banned_peers: {
    type: 'gauge',
    help: 'Peers not listened to at the moment, as they sent invalid rows.',
    labels: [],
  },
  ocf_services: {
    type: 'gauge',
    help: 'Services of this machine by status: starting, connected, down.',
    labels: ['status'],
  },
  ocf_models: { type: 'gauge', help: 'Models of this machine’s connected servers.', labels: [] },
  ocf_event_loop_delay_seconds: {
    type: 'gauge',
    help: 'Delay of the event loop since the last reading. quantile: 0.5, 0.9, 0.99, max.',
    labels: ['quantile'],
  },
  ocf_gc_seconds_total: { type: 'counter', help: 'Time spent collecting garbage.', labels: [] },
  ocf_process_cpu_seconds_total: { type: 'counter', help: 'Processor time. mode: user, system.', labels: ['mode'] },
  ocf_process_resident_memory_bytes: { type: 'gauge', help: 'Memory the system holds for this process.', labels: [] },
  ocf_process_heap_bytes: { type: 'gauge', help: 'JavaScript heap. state: used, total.', labels: ['state'] },
  ocf_process_external_memory_bytes: { type: 'gauge', help: 'Memory of buffers outside the heap.', labels: [] },
  ocf_process_open_handles: {
    type: 'gauge',
    help: 'Sockets, timers and files that keep the process busy.',
    labels: [],
  },
  ocf_process_start_time_seconds: { type: 'gauge', help: 'Unix time at which the process began.', labels: [] },
  ocf_info: { type: 'gauge', help: 'Always 1; the version is in its label.', labels: ['version'] },
} as const satisfies Record<string, MetricRow>

export type MetricName = keyof typeof METRICS

/** Makes the metrics of {@link METRICS} in one registry. */
export class MetricMakers {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** A counter; `collect` fills it whenever it is read. */
  counter(name: MetricName, collect?: (counter: Counter) => void): Counter {
    const made: Counter = new Counter({
      ...this.#row(name),
      ...(collect === undefined ? {} : { collect: () => collect(made) }),
    })
    return made
  }

  /** A gauge that `collect` fills whenever it is read. */
  gauge(name: MetricName, collect: (gauge: Gauge) => void): void {
    const made: Gauge = new Gauge({ ...this.#row(name), collect: () => collect(made) })
  }

  histogram(name: MetricName): Histogram {
    const { buckets }: MetricRow = METRICS[name]
    return new Histogram({ ...this.#row(name), ...(buckets === undefined ? {} : { buckets: [...buckets] }) })
  }

  #row(name: MetricName): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
    const { help, labels }: MetricRow = METRICS[name]
    return { name, help, labelNames: [...labels], registers: [this.#registry] }
  }
}
