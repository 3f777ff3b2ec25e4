import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createTokenGuard } from '../../../src-main/api/http/token-guard.js'
import { monotonicClock as monotonic, systemClock } from '../../../src-main/base/clock.js'
import { MAX_RELOADS, nextRestart, reloadAfterCrash } from '../../../src-main/electron/window/crash-recovery.js'
import { createProviderHealth } from '../../../src-main/gateway/routing/provider-health.js'
import { createProviderScores } from '../../../src-main/gateway/routing/provider-scores.js'
import type { NodeTable } from '../../../src-main/node-table/index.js'
import type { Host } from '../../../src-main/p2p/index.js'
import { createTrafficFeed } from '../../../src-main/telemetry/traffic.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'

const HOUR_MS = 3_600_000

// Only the wall clock and the intervals stand still; the machine's monotonic clock goes on.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

describe.each([
  ['forward', HOUR_MS],
  ['back', -HOUR_MS],
])('when the wall clock steps an hour %s', (_way, stepMs) => {
  const step = (): void => void vi.setSystemTime(systemClock.now() + stepMs)

  test('a request lasts as long as it lasts, and keeps its time of day', () => {
    const feed = createTrafficFeed({ clock: systemClock, monotonic })
    const atMs = systemClock.now()
    const request = feed.begin({ id: 'r', direction: 'out', service: 'llm', method: 'POST', route: '/' })
    step()
    request.firstByte()
    request.finish()
    const [entry] = feed.entries()
    expect(entry?.atMs).toBe(atMs)
    for (const ms of [entry?.ttfbMs, entry?.durationMs]) {
      expect(ms).toBeGreaterThanOrEqual(0)
      expect(ms).toBeLessThan(60_000)
    }
  })

  test('a peer in quarantine stays there and is not probed early', async () => {
    const refresh = vi.fn(() => Promise.resolve())
    const table = {
      get: () => ({ epoch: 0, seq: 0 }),
      subscribe: () => () => undefined,
      status: { peek: () => undefined, refresh, subscribe: () => () => undefined },
    }
    const host = { libp2p: new EventTarget() }
    const needs = { host: host as unknown as Host, table: table as unknown as NodeTable, monotonic }
    const health = createProviderHealth({ ...needs, log: createRecordingLog() })
    await health.start(new AbortController().signal)
    health.reportFailure('a', 'gone')
    step()
    vi.advanceTimersByTime(1_000)
    expect(health.isRoutable('a')).toBe(false)
    expect(refresh).not.toHaveBeenCalled()
    await health.stop()
  })

  test('what is known of a provider’s load counts on', () => {
    const scores = createProviderScores({ monotonic })
    scores.reported('a', { slots: 1, queued: 3 })
    const request = scores.begin('a')
    request.answered(900)
    request.refused(10_000)
    scores.begin('a')
    const before = scores.estimate('a').totalMs
    step()
    expect(scores.refusedLately('a')).toBe(true)
    expect(scores.load('a')).toMatchObject({ othersQueued: 3 })
    expect(scores.estimate('a').totalMs / before).toBeCloseTo(1, 1)
    request.end()
    expect(scores.load('a').holdMs).toBeGreaterThanOrEqual(0)
    expect(scores.load('a').holdMs).toBeLessThan(60_000)
  })

  test('wrong keys are counted on', () => {
    const guard = createTokenGuard({ monotonic, token: () => 'right' })
    for (let times = 0; times < 20; times += 1) expect(() => guard.assert('wrong')).toThrow('key is missing')
    step()
    expect(() => guard.assert('wrong')).toThrow('Too many calls')
  })

  test('crashes are counted on', () => {
    const contents = Object.assign(new EventEmitter(), { reload: vi.fn() })
    const gaveUp = vi.fn()
    reloadAfterCrash(contents, { monotonic, log: createRecordingLog(), gaveUp })
    const startedAtMs = monotonic.elapsedMs()
    for (let times = 0; times <= MAX_RELOADS; times += 1) contents.emit('render-process-gone', {}, { reason: 'oom' })
    step()
    contents.emit('render-process-gone', {}, { reason: 'oom' })
    expect(gaveUp).toHaveBeenCalledTimes(2)
    expect(nextRestart({ monotonic }, { restarts: 1, startedAtMs })).toBe(2)
  })
})
