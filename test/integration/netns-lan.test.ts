import { expect } from 'vitest'
import type { PeerView } from '#shared/contract/network/peers.js'
import { labTest } from '../fixtures/lab-test.js'
import type { LabNode } from '../fixtures/net-lab.js'
import { until } from '../fixtures/until.js'

/** Starting a handful of nodes takes seconds where nothing else runs, and far longer on a busy machine. */
const TIMEOUT_MS = 240_000

async function untilConnected(node: LabNode, others: readonly LabNode[], limitMs: number): Promise<PeerView[]> {
  const isConnected = async (): Promise<boolean> => {
    const connected = new Set((await node.peers()).flatMap((peer) => (peer.connected ? [peer.peerId] : [])))
    return others.every(({ peerId }) => connected.has(peerId))
  }
  await until(isConnected, { what: `${node.host.name} is connected to all others`, limitMs, everyMs: 100 })
  return await node.peers()
}

labTest('nodes of a local network find each other without any bootstrap', { timeout: TIMEOUT_MS }, async ({ lab }) => {
  const lan = lab.lan('lan')
  const machines = ['a', 'b', 'c'].map((name, index) => {
    const host = lab.host(name)
    lan.plug(host, [`192.168.7.${index + 1}/24`], ['192.168.7.254'])
    return host
  })
  const [a, b, c] = await Promise.all(machines.map((host) => lab.node(host, ['--upnp', 'false'])))
  const peers = await untilConnected(a!, [b!, c!], 60_000)
  for (const { multiaddrs } of peers)
    expect(multiaddrs.every((address) => address.startsWith('/ip4/192.168.7.'))).toBe(true)
  await until(async () => (await a!.peers()).every(({ rttMs }) => rttMs !== undefined), {
    what: 'round trips are known',
    limitMs: 30_000,
  })
})

labTest(
  'neighbours of a local network find each other although a VPN is the default route of each',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const lan = lab.lan('lan')
    const hosts = ['a', 'b'].map((name, index) => {
      const host = lab.host(name)
      lab.lan(`vpn-${name}`).plug(host, ['10.8.0.2/24'], ['10.8.0.1'])
      lan.plug(host, [`192.168.7.${index + 1}/24`])
      return host
    })
    const [a, b] = await Promise.all(hosts.map((host) => lab.node(host, ['--upnp', 'false'])))
    const [peer] = await untilConnected(a!, [b!], 60_000)
    expect(peer!.multiaddrs.every((address) => address.startsWith('/ip4/192.168.7.'))).toBe(true)
  },
)

labTest('a network of IPv6 only works, over its HTTP source', { timeout: TIMEOUT_MS }, async ({ lab }) => {
  const lan = lab.lan('six')
  const [one, two] = ['a', 'b'].map((name, index) => {
    const host = lab.host(name)
    lan.plug(host, [`fd00:7::${index + 1}/64`])
    return host
  })
  const flags = ['--upnp', 'false', '--mdns', 'false']
  const a = await lab.node(one!, [...flags, '--host', '::'])
  const b = await lab.node(two!, [...flags, '--bootstrap.sources', 'http://[fd00:7::1]:8092/v1/dnt/bootstraps'])
  const [peer] = await untilConnected(b, [a], 60_000)
  expect(peer!.multiaddrs[0]).toMatch(/^\/ip6\/fd00:7::1\//)
  const source = await lab.fetch(two!, 'http://[fd00:7::1]:8092/v1/dnt/bootstraps')
  expect(source.text).toContain('/ip6/fd00:7::1/tcp/43905')
  expect(source.text).not.toContain('/ip6/::1/')
})

labTest(
  'a node comes back by itself when its bootstrap node has another address that only its HTTP source tells',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const lan = lab.lan('lan')
    const plugged = (name: string, ip: string) => {
      const host = lab.host(name)
      lan.plug(host, [`${ip}/24`])
      return host
    }
    const web = plugged('web', '192.168.8.100')
    const flags = ['--upnp', 'false', '--mdns', 'false']
    const seed = { OCF_SEED: 'bootstrap' }
    const first = await lab.node(plugged('old', '192.168.8.1'), flags, seed)
    await lab.server(web, sourceOf(first.peerId))
    const guest = await lab.node(plugged('guest', '192.168.8.10'), [
      ...flags,
      ...['--bootstrap.sources', 'http://192.168.8.100/', ...NAMES_NOBODY_KNOWS],
    ])
    await untilConnected(guest, [first], 60_000)
    await first.kill()
    const second = await lab.node(plugged('moved', '192.168.8.2'), flags, seed)
    expect(second.peerId).toBe(first.peerId)
    await lab.fetch(web, 'http://192.168.8.100/move')
    const peers = await untilConnected(guest, [second], 60_000)
    expect(peers[0]!.multiaddrs[0]).toMatch(/^\/ip4\/192\.168\.8\.2\//)
    const report = (await guest.ocf('doctor')).stdout
    for (const name of ['http://gone.invalid:8092/', '/dns4/gone.invalid/tcp/43905', 'dnsaddr://gone.invalid']) {
      expect(report).toMatch(new RegExp(`WARN +${name} \\(bootstrap.addr\\) failed: `))
      expect(guest.stderr().split(`source=${name} `)).toHaveLength(2)
    }
  },
)

/** The system's own look-ups fail at them: no name server can be reached in here. */
const NAMES_NOBODY_KNOWS = [
  ...['--bootstrap.addr', 'http://gone.invalid:8092/'],
  ...['--bootstrap.addr', '/dns4/gone.invalid/tcp/43905'],
  ...['--bootstrap.addr', 'dnsaddr://gone.invalid'],
]

/** A web server that tells the old address until it is asked for `/move`. */
const sourceOf = (peerId: string): string => `
let ip = '192.168.8.1'
require('node:http').createServer((request, response) => {
  if (request.url === '/move') ip = '192.168.8.2'
  response.end(JSON.stringify({ bootstraps: ['/ip4/' + ip + '/tcp/43905/p2p/${peerId}'] }))
}).listen(80, '0.0.0.0', () => console.log('ready'))
`
