import type { DirectionTotals, HistoryRange, TrafficHistoryView } from '#shared/contract/node/traffic.js'
import type { Clock } from '../base/clock.js'
import type { Service } from '../base/lifecycle.js'
import type { Log } from '../logging/index.js'
import { readHistoryFile, writeHistoryFile } from './history-file.js'
import { createRollupSeries, emptyRollup, mergeRollup, pointOf, ttfbByDirection, type RollupSeries } from './rollup.js'
import { midnightBefore, type TrafficFeed } from './traffic.js'

/** What went through this node, rolled up: an hour in steps of ten seconds (in memory), a month in hours (on disk). */
export interface TrafficHistory extends Service {
  read(range: HistoryRange): TrafficHistoryView
  /** Writes what changed since the last time; a failure is logged and tried again later. */
  flush(): Promise<void>
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const FINE = { stepMs: 10 * SECOND, keep: 366 }
const HOURS = { stepMs: HOUR, keep: 31 * 24 }

/** A crash loses at most this much of the hour. */
const FLUSH_EVERY_MS = 5 * MINUTE

const RANGES: Record<HistoryRange, { stepMs: number; steps: number; from: 'fine' | 'hours' }> = {
  '5m': { stepMs: 10 * SECOND, steps: 30, from: 'fine' },
  '1h': { stepMs: MINUTE, steps: 60, from: 'fine' },
  '24h': { stepMs: HOUR, steps: 24, from: 'hours' },
  '30d': { stepMs: 6 * HOUR, steps: 120, from: 'hours' },
}

const ended = ({ ok, failed, cancelled }: DirectionTotals): number => ok + failed + cancelled

/** A history kept in `options.file`; numbers only, never what a request said. */
export function createTrafficHistory(
  needs: { traffic: Pick<TrafficFeed, 'onFinished' | 'addToday'>; clock: Clock; log: Log },
  options: { file: string; flushEveryMs?: number },
): TrafficHistory {
  const { traffic, clock } = needs
  const log = needs.log.forComponent('traffic-history')
  const series: Record<'fine' | 'hours', RollupSeries> = {
    fine: createRollupSeries(FINE),
    hours: createRollupSeries(HOURS),
  }
  let changed = false
  let failing = false
  let writing: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let unsubscribe: (() => void) | undefined
  let stopping: Promise<void> | undefined

  /** What went through today before this start; a restart is no reason to begin at 0. */
  function countToday(): void {
    const midnight = midnightBefore(clock.now())
    for (const hour of series.hours.all()) {
      if (hour.startMs < midnight) continue
      const { unanswered } = hour
      const local = ended(hour.local) - unanswered
      traffic.addToday({ in: ended(hour.in), out: ended(hour.out), local, unanswered })
    }
  }

  async function write(): Promise<void> {
    if (!changed) return
    changed = false
    try {
      await writeHistoryFile(options.file, series.hours.all())
      failing = false
    } catch (error) {
      changed = true
      if (!failing) log.warn('the traffic history can not be written', { error })
      failing = true
    }
  }

  function flush(): Promise<void> {
    writing = writing.then(write)
    return writing
  }

  return {
    name: 'traffic-history',
    async start() {
      for (const hour of await readHistoryFile(options.file, log)) series.hours.load(hour, clock.now())
      countToday()
      unsubscribe = traffic.onFinished((entry) => {
        const now = clock.now()
        series.fine.add(entry, now)
        series.hours.add(entry, now)
        changed = true
      })
      timer = setInterval(() => void flush(), options.flushEveryMs ?? FLUSH_EVERY_MS)
      timer.unref()
    },
    stop() {
      clearInterval(timer)
      unsubscribe?.()
      stopping ??= flush()
      return stopping
    },
    flush,
    read(range) {
      const { stepMs, steps, from } = RANGES[range]
      const points = series[from].steps(stepMs, steps, clock.now())
      const total = emptyRollup(0)
      for (const point of points) mergeRollup(total, point)
      return {
        range,
        stepMs,
        points: points.map(pointOf),
        ttfbMs: total.ttfb.percentiles(),
        ttfbOfMs: ttfbByDirection(total),
        durationMs: total.duration.percentiles(),
        errors: [...total.errors]
          .sort((a, b) => b[1] - a[1])
          .map(([code, errorCount]) => ({ code, count: errorCount })),
      }
    },
  }
}
