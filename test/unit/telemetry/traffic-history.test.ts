import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TrafficHistorySchema } from '#shared/contract/node/traffic.js'
import { createPercentileSketch } from '../../../src-main/telemetry/rollup.js'
import { createTrafficHistory } from '../../../src-main/telemetry/traffic-history.js'
import { createTrafficFeed, type TrafficUpdate } from '../../../src-main/telemetry/traffic.js'
import { OWNER_FILE } from '../../fixtures/file-modes.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'

const HOUR = 3_600_000
const START = Date.UTC(2026, 4, 1, 12, 30)

let dir: string
let nowMs: number
const log = createRecordingLog()
const clock = { now: () => nowMs }
const signal = new AbortController().signal

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ocf-history-'))
  nowMs = START
})
afterEach(() => rm(dir, { recursive: true, force: true }))

function open() {
  const traffic = createTrafficFeed({ clock, monotonic: { elapsedMs: () => nowMs } })
  const history = createTrafficHistory({ traffic, clock, log }, { file: join(dir, 'history.json') })
  let id = 0
  /** One request that takes `ms` and ends now. */
  const request = (
    ms: number,
    end: TrafficUpdate = { status: 200 },
    direction: 'in' | 'out' | 'local' = 'out',
  ): void => {
    nowMs -= ms
    const handle = traffic.begin({ id: String(id++), direction, service: 'llm', method: 'POST', route: '/v1/x' })
    nowMs += ms
    handle.firstByte()
    handle.addBytes(10, 100)
    handle.finish(end)
  }
  return { history, request, today: () => traffic.today() }
}

describe('the traffic history', () => {
  it('shows five minutes in steps of ten seconds, empty ones included', async () => {
    const { history, request } = open()
    await history.start(signal)
    request(100)
    nowMs += 60_000
    request(200, { status: 502, error: 'upstream_failed' })
    request(200, { cancelledBy: 'client' })
    request(300, { status: 200, tokens: 7, tokensFrom: 'usage', tokensIn: 3 }, 'in')
    request(300, { status: 404 }, 'local')
    const view = TrafficHistorySchema.parse(history.read('5m'))
    expect(view.points).toHaveLength(30)
    expect(view.points.at(-1)).toMatchObject({
      atMs: Math.floor(nowMs / 10_000) * 10_000,
      out: { ok: 0, failed: 1, cancelled: 1, bytesIn: 20, bytesOut: 200 },
      in: { ok: 1, tokensIn: 3, tokensOut: 7 },
      local: { failed: 1 },
    })
    expect(view.points.at(-7)?.out.ok).toBe(1)
    expect(view.errors).toEqual([
      { code: 'upstream_failed', count: 1 },
      { code: 'http_404', count: 1 },
    ])
    expect(history.read('1h').points).toHaveLength(60)
    nowMs += 10 * 60_000
    expect(history.read('5m').points.every(({ out }) => out.ok + out.failed === 0)).toBe(true)
    expect(history.read('1h').ttfbMs?.p50).toBeGreaterThan(150)
    await history.stop()
  })

  it('keeps the times to the first byte of each direction apart, also after a restart', async () => {
    const first = open()
    await first.history.start(signal)
    first.request(800)
    first.request(50, { status: 200 }, 'in')
    const view = TrafficHistorySchema.parse(first.history.read('24h'))
    expect(view.ttfbOfMs.out?.p50).toBeCloseTo(800, -2)
    expect(view.ttfbOfMs.in?.p50).toBeCloseTo(50, -1)
    expect(view.ttfbOfMs.local).toBeNull()
    expect(view.points.at(-1)?.ttfbOfMs).toEqual(view.ttfbOfMs)
    await first.history.stop()
    // A file of the first versions knows them together only.
    const file = join(dir, 'history.json')
    const second = open()
    await second.history.start(signal)
    expect(second.history.read('24h').ttfbOfMs).toEqual(view.ttfbOfMs)
    await second.history.stop()
    const kept = JSON.parse(await readFile(file, 'utf8')) as { hours: { ttfbOf?: unknown }[] }
    for (const hour of kept.hours) delete hour.ttfbOf
    await writeFile(file, JSON.stringify(kept))
    const third = open()
    await third.history.start(signal)
    expect(third.history.read('24h')).toMatchObject({
      ttfbMs: view.ttfbMs,
      ttfbOfMs: { out: null, in: null, local: null },
    })
    await third.history.stop()
  })

  it('tells percentiles within 2 %', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 300 }), (values) => {
        const sketch = createPercentileSketch()
        for (const value of values) sketch.add(value)
        const sorted = values.toSorted((a, b) => a - b)
        const told = sketch.percentiles()
        for (const [name, quantile] of [
          ['p50', 0.5],
          ['p90', 0.9],
          ['p99', 0.99],
        ] as const) {
          const exact = sorted[Math.floor(quantile * (sorted.length - 1))] ?? 0
          expect(Math.abs((told?.[name] ?? 0) - exact)).toBeLessThanOrEqual(exact * 0.0201 + 0.06)
        }
        expect(createPercentileSketch(sketch.bins()).percentiles()).toEqual(told)
      }),
      { numRuns: 100 },
    )
  })

  it('survives a restart, hour by hour', async () => {
    const first = open()
    await first.history.start(signal)
    for (let hour = 0; hour < 3; hour++) {
      for (let i = 1; i <= 10; i++) first.request(i * 100)
      first.request(1, { status: 503, error: 'no_provider' })
      nowMs += HOUR
    }
    const before = first.history.read('24h')
    await first.history.stop()
    expect((await stat(join(dir, 'history.json'))).mode & 0o777).toBe(OWNER_FILE)
    expect(await readdir(dir)).toEqual(['history.json'])
    const second = open()
    await second.history.start(signal)
    expect(second.history.read('24h')).toEqual(before)
    second.request(100)
    expect(second.history.read('30d').points.reduce((sum, { out }) => sum + out.ok, 0)).toBe(31)
    await second.history.stop()
  })

  it('goes on counting the requests of today after a restart, and leaves those of yesterday out', async () => {
    // Two hours after midnight, wherever the test runs.
    nowMs = new Date(START).setHours(2, 30, 0, 0)
    const first = open()
    await first.history.start(signal)
    nowMs -= 3 * HOUR
    first.request(100)
    nowMs += 3 * HOUR
    first.request(100)
    first.request(100, { status: 502, error: 'upstream_failed', tries: 1 }, 'in')
    first.request(100, { status: 200, tries: 1 }, 'local')
    first.request(100, { status: 404, error: 'model_not_found', tries: 0 }, 'local')
    await first.history.stop()
    const second = open()
    await second.history.start(signal)
    second.request(100)
    expect(second.today()).toEqual({ in: 1, out: 2, local: 1, unanswered: 1 })
    await second.history.stop()
  })

  it('forgets what is older than 31 days', async () => {
    const first = open()
    await first.history.start(signal)
    for (let hour = 0; hour < 40 * 24; hour++) {
      first.request(10)
      nowMs += HOUR
    }
    await first.history.stop()
    const file = JSON.parse(await readFile(join(dir, 'history.json'), 'utf8')) as { hours: { at: number }[] }
    expect(file.hours).toHaveLength(31 * 24)
    nowMs += 30 * 24 * HOUR
    const second = open()
    await second.history.start(signal)
    expect(second.history.read('30d').points.reduce((sum, { out }) => sum + out.ok, 0)).toBeLessThan(3)
    await second.history.stop()
  })

  it('moves a file aside that it can not understand, and says so', async () => {
    await writeFile(join(dir, 'history.json'), '{"format":1,"hours":[{"at":"yesterday"}]}')
    const { history, request } = open()
    await history.start(signal)
    expect(
      (await log.line('the traffic history could not be understood and was moved aside; a new one begins')).level,
    ).toBe('warn')
    expect(await readdir(dir)).toEqual(['history.json.corrupt'])
    request(5)
    await history.stop()
    expect((await readdir(dir)).sort()).toEqual(['history.json', 'history.json.corrupt'])
  })

  it('says once that it can not be written, and goes on', async () => {
    const { history, request } = open()
    await history.start(signal)
    request(5)
    await rm(dir, { recursive: true })
    await writeFile(dir, 'a file where the folder was')
    const told = log.lines.length
    await history.flush()
    await history.flush()
    expect(log.lines.slice(told).map(({ level }) => level)).toEqual(['warn'])
    expect(history.read('5m').points.at(-1)?.out.ok).toBe(1)
    await history.stop()
  })
})
