import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { METRICS, type MetricRow } from '../../../src-main/telemetry/metrics-table.js'
import { createMetrics, type MetricSources } from '../../../src-main/telemetry/metrics.js'
import { createTrafficFeed, type TrafficUpdate } from '../../../src-main/telemetry/traffic.js'
import { formatted } from '../../fixtures/formatted.js'
import { readFigures } from '../../fixtures/metrics.js'

const PAGE = resolve(import.meta.dirname, '../../../docs/operating.md')
const signal = new AbortController().signal
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const connection = (peerId: string, path: 'direct-tcp' | 'relayed') => ({
  peerId,
  path,
  multiaddr: '',
  direction: 'inbound' as const,
  openedAtMs: 0,
})

const HEALTH = {
  ...{ clockAheadMs: null, isClockWrong: false, leaseMs: 1, isUsedElsewhere: false, isFull: false },
  ...{ bannedPeers: ['mallory'], reader: 'full' as const },
}

const SOURCES: MetricSources = {
  host: { connections: () => [connection('a', 'relayed'), connection('a', 'direct-tcp'), connection('b', 'relayed')] },
  table: { size: 3, subscribe: () => () => undefined, health: () => HEALTH },
  registry: { list: () => [] },
  streams: () => ({ pools: 2, streams: 5 }),
}

async function open() {
  let nowMs = 0
  const traffic = createTrafficFeed({ clock: { now: () => nowMs }, monotonic: { elapsedMs: () => nowMs } })
  const metrics = createMetrics({ traffic, sources: () => SOURCES }, { version: '1.2.3' })
  await metrics.start(signal)
  stops.push(() => metrics.stop())
  const request = (service: string, end: TrafficUpdate, ms = 200): void => {
    const handle = traffic.begin({ id: 'x', direction: 'local', service, method: 'POST', route: '/' })
    nowMs += ms / 2
    handle.firstByte()
    nowMs += ms / 2
    handle.attempted({
      peer: null,
      outcome: 'answered',
      reason: null,
      startMs: 0,
      durationMs: 1,
      connectMs: 0,
      ttfbMs: 1,
    })
    handle.addBytes(10, 20)
    handle.finish(end)
  }
  return { metrics, traffic, request, figures: async () => readFigures(await metrics.render()) }
}

describe('the figures for Prometheus', () => {
  it('count what went through, by closed lists of labels', async () => {
    const { request, figures, traffic } = await open()
    for (let i = 0; i < 3; i++) request('llm', { status: 200, tokens: 5, tokensIn: 2 })
    for (let i = 0; i < 300; i++) request(`service-${i}`, { status: 400 + (i % 100) })
    request('llm', { status: 502, error: 'upstream_failed', direction: 'out' })
    request('llm', { cancelledBy: 'client' })
    traffic.begin({ id: 'r', direction: 'in', service: 'llm', method: 'POST', route: '/' })
    const told = await figures()
    expect(told.sum('ocf_requests_total', { service: 'llm', code: '2xx', outcome: 'ok' })).toBe(3)
    expect(told.sum('ocf_requests_total', { service: 'other', code: '4xx', outcome: 'failed' })).toBe(300)
    expect(told.sum('ocf_requests_total', { direction: 'out', outcome: 'failed' })).toBe(1)
    expect(told.sum('ocf_requests_total', { code: 'none', outcome: 'cancelled' })).toBe(1)
    expect(told.samples('ocf_requests_total')).toHaveLength(4)
    expect(told.samples('ocf_request_errors_total').map(({ labels }) => labels['code'])).toEqual([
      'http_4xx',
      'upstream_failed',
    ])
    expect(told.sum('ocf_tokens_total', { kind: 'completion' })).toBe(15)
    expect(told.sum('ocf_tokens_total', { kind: 'prompt' })).toBe(6)
    expect(told.sum('ocf_response_body_bytes_total')).toBe(305 * 20)
    expect(told.sum('ocf_tries_total', { provider: 'self', outcome: 'answered' })).toBe(305)
    expect(told.sum('ocf_ttfb_seconds_count')).toBe(305)
    expect(told.sum('ocf_request_duration_seconds_bucket', { le: '0.25' })).toBe(305)
    expect(told.sum('ocf_request_duration_seconds_bucket', { le: '0.1' })).toBe(0)
    expect(told.sum('ocf_requests_in_flight')).toBe(1)
    expect(told.sum('ocf_peers', { path: 'direct-tcp' })).toBe(1)
    expect(told.sum('ocf_peers', { path: 'relayed' })).toBe(1)
    expect(told.sum('ocf_http_streams')).toBe(5)
    expect(told.sum('ocf_table_rows')).toBe(3)
    expect(told.sum('ocf_table_banned_peers')).toBe(1)
  })

  it('are exactly those of the table, in a form Prometheus reads', async () => {
    const { request, metrics } = await open()
    request('llm', { status: 500, tokens: 1 })
    const text = await metrics.render()
    const names = readFigures(text).names()
    expect(names.filter((name) => !name.startsWith('ocf_libp2p_')).sort()).toEqual(Object.keys(METRICS).sort())
    expect(text.endsWith('\n')).toBe(true)
    for (const line of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
      expect(line).toMatch(/^ocf_[a-z0-9_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (-?[\d.e+-]+|NaN)$/)
    }
  })

  it('take libp2p’s in, never more label values than a bound', async () => {
    const { metrics, figures } = await open()
    const group = metrics.libp2p.registerCounterGroup('libp2p_dialler_errors_total', { label: 'error' })
    for (let i = 0; i < 1_000; i++) group.increment({ [`peer-${i}`]: true })
    metrics.libp2p.registerMetricGroup('libp2p_connections', { calculate: () => ({ inbound: 2, outbound: 3 }) })
    metrics.libp2p.registerMetric('libp2p_broken', { calculate: () => Promise.reject(new Error('stopped')) })
    const plain = metrics.libp2p.registerMetric('dial.queue-length')
    plain.increment()
    plain.increment(4)
    plain.decrement()
    metrics.libp2p.registerMetric('dial.queue-length').increment()
    for (let i = 0; i < 500; i++) metrics.libp2p.registerMetric(`many_${i}`).update(1)
    const told = await figures()
    expect(told.samples('ocf_libp2p_dialler_errors_total')).toHaveLength(65)
    expect(told.sum('ocf_libp2p_dialler_errors_total')).toBe(1_000)
    expect(told.sum('ocf_libp2p_connections')).toBe(5)
    expect(told.sum('ocf_libp2p_dial_queue_length')).toBe(5)
    expect(told.samples('ocf_libp2p_broken')).toEqual([])
    expect(told.names().filter((name) => name.startsWith('ocf_libp2p_')).length).toBeLessThanOrEqual(200)
  })

  it('are told in docs/operating.md (UPDATE_DOCS=1 writes them)', async () => {
    const page = readFileSync(PAGE, 'utf8')
    const [begin, end] = [page.indexOf(TABLE_BEGIN), page.indexOf(TABLE_END)]
    expect(begin).toBeGreaterThan(0)
    expect(end).toBeGreaterThan(begin)
    const renewed = `${page.slice(0, begin + TABLE_BEGIN.length)}\n\n${metricsTableMarkdown()}\n\n${page.slice(end)}`
    const wanted = await formatted(PAGE, renewed)
    if (process.env.UPDATE_DOCS === '1') writeFileSync(PAGE, wanted)
    else expect(page).toBe(wanted)
  })
})

const TABLE_BEGIN = '<!-- metrics:begin -->'
const TABLE_END = '<!-- metrics:end -->'

function metricsTableMarkdown(): string {
  const rows = Object.entries<MetricRow>(METRICS).map(
    ([name, { type, labels, help }]) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  )
  return ['| Metric | Type | Labels | What it says |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
