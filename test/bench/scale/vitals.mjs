import { monitorEventLoopDelay } from 'node:perf_hooks'

// Loaded into the node of the bench: tells how the process fares when asked, and begins to measure anew.
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
process.on('message', () => {
  const delayMs = { p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 }
  delay.disable()
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  process.send({
    rssMiB: rss / 1024 / 1024,
    heapMiB: heapUsed / 1024 / 1024,
    cpuMs: (user + system) / 1000,
    delayMs,
  })
  delay.reset()
  delay.enable()
})
// The question must not keep a node alive that wants to end.
process.channel.unref()
