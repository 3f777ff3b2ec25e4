import { labTest } from '../fixtures/lab-test.js'
import { twoHomes, type LabPeer } from '../fixtures/net-lab.js'
import { until } from '../fixtures/until.js'

const TIMEOUT_MS = 240_000
const RELAY = { publicAddr: '5.0.0.10', upnp: false, mdns: false }
const HOME = { upnp: false, mdns: false }

const pathsTo = async (peer: LabPeer, other: LabPeer): Promise<string[]> => {
  const { connections } = await peer.facts()
  return connections.flatMap(({ peerId, path }) => (peerId === other.peerId ? [path] : []))
}

async function circuitTo(peer: LabPeer): Promise<string> {
  return await until(async () => (await peer.facts()).addresses.find((address) => address.includes('/p2p-circuit')), {
    what: 'it has a place at the relay',
    limitMs: 60_000,
  })
}

labTest(
  'two nodes behind two NATs that keep a port for all punch a hole, and the relay is let go',
  { timeout: TIMEOUT_MS },
  async ({ lab, expect }) => {
    const { a, b, publicHost } = twoHomes(lab)
    const [relay, one, two] = await Promise.all([
      lab.peer(publicHost('p', '5.0.0.10'), RELAY),
      lab.peer(a.host, HOME),
      lab.peer(b.host, HOME),
    ])
    const relayAddress = `/ip4/5.0.0.10/tcp/43905/p2p/${relay.peerId}`
    await Promise.all([one.dial(relayAddress), two.dial(relayAddress)])
    await one.dial(await circuitTo(two))
    const both = [
      { from: one, to: two },
      { from: two, to: one },
    ]
    for (const { from, to } of both) {
      await expect.poll(() => pathsTo(from, to), { timeout: 60_000, interval: 100 }).toEqual(['hole-punched'])
    }
  },
)
