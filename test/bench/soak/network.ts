import { createHosts, until } from '../../fixtures/hosts.js'
import { createByteCounter } from '../../fixtures/byte-counter.js'
import { isConnected, startTableNetwork } from '../../fixtures/table-network.js'

// All nodes of the soak in this process; it tells how it fares when asked.
const count = Number(process.argv[2])
const hosts = createHosts()
const counter = createByteCounter()
const nodes = await startTableNetwork(hosts, { nodes: count, metrics: () => counter.metrics })
await until('every node sees every row', () => nodes.every(({ table }) => table.size === count), 60_000)

export interface SoakSample {
  rssMiB: number
  heapMiB: number
  handles: number
  timers: number
  /** Bytes sent on streams by all nodes since the last sample, by protocol. */
  sent: Record<string, number>
  rowsSeen: boolean
  connected: boolean
}

function sample(): SoakSample {
  globalThis.gc?.()
  const resources = process.getActiveResourcesInfo()
  const timers = resources.filter((name) => name === 'Timeout').length
  const memory = process.memoryUsage()
  return {
    rssMiB: memory.rss / 1024 / 1024,
    heapMiB: memory.heapUsed / 1024 / 1024,
    handles: resources.length - timers,
    timers,
    sent: Object.fromEntries([...counter.read()].map(([protocol, { sent }]) => [protocol, sent])),
    rowsSeen: nodes.every(({ table }) => table.size === count),
    connected: isConnected(nodes),
  }
}

process.on('message', () => process.send?.(sample()))
process.on('SIGTERM', () => void hosts.close().then(() => process.exit(0)))
process.send?.({ ready: true })
