import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PeerView } from '#shared/contract/peers.js'
import { createNetLab, whyNoNetLab, type LabNode, type NetLab } from '../fixtures/net-lab.js'
import { until } from '../fixtures/until.js'

const reason = whyNoNetLab()
if (reason !== undefined) process.stdout.write(`skipped: ${reason}\n`)

let lab: NetLab
beforeEach(() => {
  if (reason === undefined) lab = createNetLab()
})
afterEach(async () => {
  if (reason === undefined) await lab.close()
})

const peersOf = (node: LabNode): PeerView[] => JSON.parse(node.ocf('peers', '--json').stdout) as PeerView[]

async function untilConnected(node: LabNode, others: readonly LabNode[], limitMs: number): Promise<PeerView[]> {
  const isConnected = (): boolean => {
    const connected = new Set(peersOf(node).flatMap((peer) => (peer.connected ? [peer.peerId] : [])))
    return others.every(({ peerId }) => connected.has(peerId))
  }
  await until(isConnected, { what: `${node.host.name} is connected to all others`, limitMs, everyMs: 300 })
  return peersOf(node)
}

test.skipIf(reason !== undefined)('nodes of a local network find each other without any bootstrap', async () => {
  const lan = lab.lan('lan')
  const machines = ['a', 'b', 'c'].map((name, index) => {
    const host = lab.host(name)
    lan.plug(host, [`192.168.7.${index + 1}/24`], ['192.168.7.254'])
    return host
  })
  const [a, b, c] = await Promise.all(machines.map((host) => lab.node(host, ['--upnp', 'false'])))
  const peers = await untilConnected(a!, [b!, c!], 15_000)
  for (const { multiaddrs } of peers)
    expect(multiaddrs.every((address) => address.startsWith('/ip4/192.168.7.'))).toBe(true)
  await until(() => peersOf(a!).every(({ rttMs }) => rttMs !== undefined), {
    what: 'round trips are known',
    limitMs: 5_000,
  })
})

test.skipIf(reason !== undefined)('a network of IPv6 only works, over its HTTP source', async () => {
  const lan = lab.lan('six')
  const [one, two] = ['a', 'b'].map((name, index) => {
    const host = lab.host(name)
    lan.plug(host, [`fd00:7::${index + 1}/64`])
    return host
  })
  const flags = ['--upnp', 'false', '--mdns', 'false']
  const a = await lab.node(one!, [...flags, '--host', '::'])
  const b = await lab.node(two!, [...flags, '--bootstrap.sources', 'http://[fd00:7::1]:8092/v1/dnt/bootstraps'])
  const [peer] = await untilConnected(b, [a], 15_000)
  expect(peer!.multiaddrs[0]).toMatch(/^\/ip6\/fd00:7::1\//)
  const source = await lab.fetch(two!, 'http://[fd00:7::1]:8092/v1/dnt/bootstraps')
  expect(source.text).toContain('/ip6/fd00:7::1/tcp/43905')
  expect(source.text).not.toContain('/ip6/::1/')
})

test.skipIf(reason !== undefined)(
  'nodes come back by themselves when their bootstrap node has another address that only its HTTP source tells',
  async () => {
    const lan = lab.lan('lan')
    const web = lab.host('web')
    lan.plug(web, ['192.168.8.100/24'])
    const old = lab.host('old')
    lan.plug(old, ['192.168.8.1/24'])
    const others = ['b', 'c'].map((name, index) => {
      const host = lab.host(name)
      lan.plug(host, [`192.168.8.${index + 10}/24`])
      return host
    })
    const flags = ['--upnp', 'false', '--mdns', 'false', '--seed', 'bootstrap']
    const first = await lab.node(old, flags)
    await lab.server(web, sourceOf(first.peerId))
    const join = ['--upnp', 'false', '--mdns', 'false', '--bootstrap.sources', 'http://192.168.8.100:80/']
    const nodes = await Promise.all(others.map((host) => lab.node(host, join)))
    await Promise.all(nodes.map((node) => untilConnected(node, [first], 15_000)))
    await first.kill()
    for (const node of nodes) await node.kill()
    const moved = lab.host('moved')
    lan.plug(moved, ['192.168.8.2/24'])
    const again = await Promise.all(others.map((host) => lab.node(host, join)))
    const second = await lab.node(moved, flags)
    expect(second.peerId).toBe(first.peerId)
    await lab.fetch(web, 'http://192.168.8.100:80/move')
    await Promise.all(again.map((node) => untilConnected(node, [second], 30_000)))
  },
)

/** A web server that tells the old address until it is asked for `/move`. */
const sourceOf = (peerId: string): string => `
let ip = '192.168.8.1'
require('node:http').createServer((request, response) => {
  if (request.url === '/move') ip = '192.168.8.2'
  response.end(JSON.stringify({ bootstraps: ['/ip4/' + ip + '/tcp/43905/p2p/${peerId}'] }))
}).listen(80, '0.0.0.0', () => console.log('ready'))
`
