import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import type { MetricMakers } from './metrics-table.js'

/** The event loop is sampled this often: fine enough to see a stall, rare enough to cost nothing. */
const LOOP_RESOLUTION_MS = 20
const NANO = 1e9
const MICRO = 1e6

/** Adds what the process itself costs; delays are watched between start and stop. */
export function addProcessMetrics(makers: MetricMakers): { start(): void; stop(): void } {
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  let gcMs = 0
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) gcMs += duration
  })

  makers.gauge('ocf_event_loop_delay_seconds', (made) => {
    // The histogram counts whole intervals: what is above the resolution is delay.
    const seconds = (ns: number): number => Math.max(0, ns / NANO - LOOP_RESOLUTION_MS / 1000)
    for (const quantile of [0.5, 0.9, 0.99]) {
      made.set({ quantile: String(quantile) }, seconds(delay.percentile(quantile * 100)))
    }
    made.set({ quantile: 'max' }, seconds(delay.max))
    delay.reset()
  })
  makers.counter('ocf_gc_seconds_total', (made) => {
    made.reset()
    made.inc(gcMs / 1000)
  })
  makers.counter('ocf_process_cpu_seconds_total', (made) => {
    const { user, system } = process.cpuUsage()
    made.reset()
    made.inc({ mode: 'user' }, user / MICRO)
    made.inc({ mode: 'system' }, system / MICRO)
  })
  makers.gauge('ocf_process_resident_memory_bytes', (made) => made.set(process.memoryUsage.rss()))
  makers.gauge('ocf_process_heap_bytes', (made) => {
    const { heapUsed, heapTotal } = process.memoryUsage()
    made.set({ state: 'used' }, heapUsed)
    made.set({ state: 'total' }, heapTotal)
  })
  makers.gauge('ocf_process_external_memory_bytes', (made) => made.set(process.memoryUsage().external))
  makers.gauge('ocf_process_open_handles', (made) => made.set(process.getActiveResourcesInfo().length))
  const startedAtS = Date.now() / 1000 - process.uptime()
  makers.gauge('ocf_process_start_time_seconds', (made) => made.set(startedAtS))

  return {
    start() {
      delay.enable()
      observer.observe({ entryTypes: ['gc'] })
    },
    stop() {
      delay.disable()
      observer.disconnect()
    },
  }
}
