// Loaded into a node of the soak that is never killed: tells by messages what it holds, after the garbage is collected.
import { readdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

// The program keeps the instance of GossipSub to itself. It is the only one with such an event, and leads to the peer store
// and the connections as well.
let gossip
const { addEventListener } = EventTarget.prototype
EventTarget.prototype.addEventListener = function (type, ...rest) {
  if (type === 'subscription-change') gossip = this
  addEventListener.call(this, type, ...rest)
}

const MIB = 1024 * 1024
/** As when memory is short: with a plain collection V8 keeps 100 MB of free pages for a while, and at times for good. */
const COLLECT_ALL = { type: 'major', execution: 'sync', flavor: 'last-resort' }
/** What native code frees, it frees in callbacks that run after the collection. */
const FINALIZERS_MS = 50
const FINALIZER_ROUNDS = 2

/** Entries of every map and set of an object, those of maps in maps included. */
function entriesIn(object) {
  let count = 0
  for (const value of Object.values(object)) {
    if (!(value instanceof Map || value instanceof Set)) continue
    count += value.size
    for (const inner of value.values()) if (inner instanceof Map || inner instanceof Set) count += inner.size
  }
  return count
}

const countDescriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : Number.NaN)

async function vitalSigns() {
  const rssBeforeMiB = process.memoryUsage.rss() / MIB
  for (let round = 0; round < FINALIZER_ROUNDS; round += 1) {
    globalThis.gc(COLLECT_ALL)
    await pause(FINALIZERS_MS)
  }
  const resources = process.getActiveResourcesInfo()
  const timers = resources.filter((name) => name === 'Timeout').length
  const memory = process.memoryUsage()
  const { peerStore, connectionManager } = gossip.components
  const connections = connectionManager.getConnections()
  return {
    rssBeforeMiB,
    rssMiB: memory.rss / MIB,
    heapMiB: memory.heapUsed / MIB,
    heapTotalMiB: memory.heapTotal / MIB,
    externalMiB: memory.external / MIB,
    arrayBuffersMiB: memory.arrayBuffers / MIB,
    handles: resources.length - timers,
    timers,
    descriptors: countDescriptors(),
    connections: connections.length,
    quicConnections: connections.filter(({ remoteAddr }) => remoteAddr.toString().includes('quic')).length,
    streams: connections.reduce((sum, { streams }) => sum + streams.length, 0),
    peers: new Set(connections.map(({ remotePeer }) => remotePeer.toString())).size,
    peerStore: (await peerStore.all()).length,
    gossip: entriesIn(gossip) + entriesIn(gossip.score),
  }
}

const ANSWERS = {
  vitalSigns,
  connections: async () => gossip.components.connectionManager.getConnections().map(({ id }) => id),
}

process.on('message', ({ ask }) => {
  void ANSWERS[ask]().then((answer) => process.send(answer))
})
// The question must not keep a node alive that wants to end.
process.channel.unref()
