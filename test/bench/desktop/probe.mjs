// Loaded into the process that holds the node, and asked by messages. Two figures: how late its event loop is by the
// clock, which counts what else the machine does, and how much the loop itself works between two firings of a timer,
// which is how late it would be on a core of its own.
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks'

const EVERY_MS = 1
const late = monitorEventLoopDelay({ resolution: EVERY_MS })
const work = createHistogram()
let timer
let before = process.threadCpuUsage()

function fired() {
  const now = process.threadCpuUsage()
  const usedUs = now.user + now.system - before.user - before.system
  before = now
  work.record(Math.max(1, Math.round(usedUs)))
}

const read = (histogram, unitsPerMs, lessMs) => {
  const ms = (value) => Math.max(0, value / unitsPerMs - lessMs)
  return { p50: ms(histogram.percentile(50)), p99: ms(histogram.percentile(99)), max: ms(histogram.max) }
}

process.on('message', (message) => {
  if (message === 'begin') {
    late.reset()
    work.reset()
    before = process.threadCpuUsage()
    late.enable()
    timer = setInterval(fired, EVERY_MS)
    process.send('begun')
  } else if (message === 'end') {
    late.disable()
    clearInterval(timer)
    // The clock's figure has the timer's own interval in it.
    process.send({ late: read(late, 1e6, EVERY_MS), work: read(work, 1e3, 0) })
  }
})
