import { createHosts, until } from '../../fixtures/hosts.js'
import { createByteCounter } from '../../fixtures/byte-counter.js'
import { isConnected, startTableNetwork, startTableNode } from '../../fixtures/table-network.js'

// All nodes of the soak in this process; it tells how it fares when asked.
const count = Number(process.argv[2])
/** Milliseconds between two deaths of a node; 0: nobody dies. */
const churnMs = Number(process.argv[3] ?? 0)
const hosts = createHosts()
const counter = createByteCounter()
const options = { metrics: () => counter.metrics }
const nodes = await startTableNetwork(hosts, { nodes: count, ...options })
await until('every node sees every row', () => nodes.every(({ table }) => table.size === count), 60_000)

export interface SoakSample {
  rssMiB: number
  heapMiB: number
  handles: number
  timers: number
  /** Nodes that were killed and started again since the beginning. */
  restarts: number
  /** Bytes sent on streams by all nodes since the last sample, by protocol. */
  sent: Record<string, number>
  rowsSeen: boolean
  connected: boolean
}

let restarts = 0
let churning: Promise<void> = Promise.resolve()
let timer: NodeJS.Timeout | undefined

/** A node loses all its connections at once, without a goodbye, and is back with its identity and folder. */
async function restartOne(): Promise<void> {
  const index = Math.floor(Math.random() * nodes.length)
  const [dying, guest] = [nodes[index], nodes[(index + 1) % nodes.length]]
  if (dying === undefined || guest === undefined) return
  await dying.kill()
  nodes[index] = await startTableNode(hosts, { ...options, dir: dying.dir, source: guest.host.multiaddrs()[0] })
  restarts += 1
}

function churn(): void {
  churning = restartOne().then(() => {
    timer = setTimeout(churn, churnMs)
  })
}
if (churnMs > 0) churn()

async function calm(): Promise<void> {
  await churning
  clearTimeout(timer)
  await until('every node sees every row', () => nodes.every(({ table }) => table.size === count), 60_000)
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
    restarts,
    sent: Object.fromEntries([...counter.read()].map(([protocol, { sent }]) => [protocol, sent])),
    rowsSeen: nodes.every(({ table }) => table.size === count),
    connected: isConnected(nodes),
  }
}

// While nodes die and come back a sample is taken between two deaths, so that each sees the same number of nodes.
process.on('message', (message: { last?: boolean }) => {
  const settled = message.last === true ? calm().catch(() => undefined) : churning
  void settled.then(() => process.send?.(sample()))
})
process.on('SIGTERM', () => void hosts.close().then(() => process.exit(0)))
process.send?.({ ready: true })
