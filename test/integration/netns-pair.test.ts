import { expect } from 'vitest'
import type { Nearby, Pairing } from '#shared/contract/people/pairing.js'
import { labTest } from '../fixtures/lab-test.js'
import type { LabNode } from '../fixtures/net-lab.js'
import { until } from '../fixtures/until.js'

/** A pair takes seconds where nothing else runs, and far longer on a busy machine. */
const TIMEOUT_MS = 240_000
const LIMIT_MS = 60_000

interface Seen {
  waiting: Pairing[]
  nearby: Nearby[]
}

async function look(node: LabNode): Promise<Seen> {
  return JSON.parse((await node.ocf('pair', '--json')).stdout) as Seen
}

const untilSeen = (node: LabNode, other: LabNode): Promise<Nearby> =>
  until(async () => (await look(node)).nearby.find(({ peerId }) => peerId === other.peerId), {
    ...{ what: `${node.host.name} sees ${other.host.name} nearby`, limitMs: LIMIT_MS, everyMs: 200 },
  })

labTest(
  'two nodes of one LAN that nothing but multicast told of each other pair by a code on the command line',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const lan = lab.lan('lan')
    const hosts = ['a', 'b'].map((name, index) => {
      const host = lab.host(name)
      lan.plug(host, [`192.168.7.${index + 1}/24`], ['192.168.7.254'])
      return host
    })
    const [a, b] = await Promise.all(hosts.map((host) => lab.node(host, ['--upnp', 'false'])))
    await Promise.all([a!.ocf('name', 'Ann'), b!.ocf('name', 'Bob')])
    const bob = await untilSeen(a!, b!)
    expect(bob).toMatchObject({ name: null, trusted: false })
    const startedMs = performance.now()
    const asked = JSON.parse((await a!.ocf('pair', b!.peerId, '--json')).stdout) as Pairing
    expect(asked).toMatchObject({ direction: 'outgoing', state: 'compare', address: '192.168.7.2' })
    const { waiting } = await look(b!)
    expect(waiting).toMatchObject([{ peerId: a!.peerId, address: '192.168.7.1', code: asked.code, name: null }])
    const code = asked.code?.replace(' ', '') ?? ''
    const [annSays, bobSays] = await Promise.all([
      a!.ocf('pair', b!.peerId, '--yes', code),
      b!.ocf('pair', a!.peerId, '--yes', code),
    ])
    expect(annSays).toMatchObject({ code: 0, stdout: 'You and Bob trust each other now.\n' })
    expect(bobSays).toMatchObject({ code: 0, stdout: 'You and Ann trust each other now.\n' })
    process.stdout.write(`pair: ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`)
    expect((await a!.ocf('people')).stdout).toMatch(/Bob +12D3KooW\S+ +by a code +connected/)
    expect((await b!.ocf('people')).stdout).toMatch(/Ann +12D3KooW\S+ +by a code +connected/)
  },
)

labTest(
  'a node that is connected from another network than this LAN is not nearby and cannot ask to pair',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const [left, right] = [lab.lan('left'), lab.lan('right')]
    const [a, b, router] = [lab.host('a'), lab.host('b'), lab.host('router')]
    left.plug(a, ['192.168.7.1/24'], ['192.168.7.254'])
    right.plug(b, ['192.168.9.1/24'], ['192.168.9.254'])
    left.plug(router, ['192.168.7.254/24'])
    right.plug(router, ['192.168.9.254/24'])
    lab.run(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
    const [ann, bob] = await Promise.all([lab.node(a, ['--upnp', 'false']), lab.node(b, ['--upnp', 'false'])])
    await until(async () => (await ann.ocf('join', '192.168.9.1')).code === 0, {
      ...{ what: 'Ann’s node has joined at Bob’s', limitMs: 2 * LIMIT_MS, everyMs: 200 },
    })
    await until(async () => (await bob.peers()).some(({ peerId, connected }) => connected && peerId === ann.peerId), {
      ...{ what: 'both are connected through the router', limitMs: LIMIT_MS, everyMs: 200 },
    })
    expect((await look(ann)).nearby).toEqual([])
    expect((await look(bob)).nearby).toEqual([])
    expect((await ann.ocf('pair', bob.peerId)).code).toBe(1)
    expect((await look(bob)).waiting).toEqual([])
  },
)
