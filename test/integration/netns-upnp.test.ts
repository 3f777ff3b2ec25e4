import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import type { PeerView } from '#shared/contract/network/peers.js'
import type { HostOptions } from '../../src-main/p2p/index.js'
import { labTest } from '../fixtures/lab-test.js'
import { symmetricNat, twoHomes, type LabNode } from '../fixtures/net-lab.js'
import { until } from '../fixtures/until.js'

const TIMEOUT_MS = 240_000
const BOOTSTRAP = ['--bootstrap.addr', '/ip4/5.0.0.10/tcp/43905', '--mdns', 'false']
const SERVICE = [
  ...['--service.name', 'hello', '--service.port', '9000', '--service.identity-group', 'all'],
  ...['--service.shared-path', '/hello'],
]
const HELLO = `
require('node:http').createServer((request, response) => response.end('hello'))
  .listen(9000, '127.0.0.1', () => console.log('ready'))
`
/** Counts who asks it for anything, and tells at /asked. */
const VICTIM = `
let asked = 0
require('node:http').createServer((request, response) => {
  if (request.url !== '/asked') asked += 1
  response.end(String(asked))
}).listen(80, '0.0.0.0', () => console.log('ready'))
`

const OUTER = '/ip4/5.0.0.1/tcp/43905'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocf-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const viewOf = async (node: LabNode, other: LabNode): Promise<PeerView | undefined> =>
  (await node.peers()).find(({ peerId }) => peerId === other.peerId)

labTest(
  'a node behind a router with UPnP is reached directly without a hand, and closes its ports when it stops',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    // No relay, and routers no hole can be punched through: only an open port lets anybody in.
    const { a, b, publicHost } = twoHomes(lab, symmetricNat)
    const [gateway] = await Promise.all([
      lab.gateway(a.router, { host: '192.168.1.1', outside: a.outside, behaviour: { generation: 1 } }),
      lab.server(a.host, HELLO),
      lab.node(publicHost('p', '5.0.0.10'), ['--public-addr', '5.0.0.10', '--upnp', 'false', '--relay', 'off']),
    ])
    const donor = await lab.node(a.host, [...BOOTSTRAP, ...SERVICE])
    await until(async () => (await gateway.facts()).mappings.length === 3, {
      what: 'the ports are open',
      limitMs: 60_000,
    })
    expect((await gateway.facts()).mappings).toEqual(
      expect.arrayContaining([
        { protocol: 'tcp', outerPort: 43905, innerHost: '192.168.1.2', innerPort: 43905, leaseSeconds: 3600 },
        { protocol: 'udp', outerPort: 59820, innerHost: '192.168.1.2', innerPort: 59820, leaseSeconds: 3600 },
      ]),
    )
    const isAnnounced = async () =>
      (await lab.fetch(donor.host, `${donor.gateway}/v1/dnt/bootstraps`)).text.includes('/ip4/5.0.0.1/tcp/43905')
    await until(isAnnounced, { what: 'a peer got through and the address is told', limitMs: 60_000 })
    const user = await lab.node(b.host, BOOTSTRAP)
    const isOffered = async () => (await viewOf(user, donor))?.offers.includes('hello:all')
    await until(isOffered, { what: 'the offer is known', limitMs: 60_000, everyMs: 100 })
    const ask = () => lab.fetch(user.host, `${user.gateway}/v1/service/hello/hello`)
    await until(async () => (await ask()).status === 200, { what: 'it answers', limitMs: 60_000, everyMs: 200 })
    expect((await viewOf(user, donor))?.paths).toEqual([expect.stringMatching(/^direct-/)])
    const { stdout } = await donor.ocf('doctor')
    expect(stdout).toMatch(/The router opened .*tcp 43905 → 43905/)
    expect(stdout).toMatch(/Peers reached this node at .*\/ip4\/5\.0\.0\.1\/tcp\/43905/)
    await donor.stop()
    expect((await gateway.facts()).mappings).toEqual([])
  },
)

labTest(
  'a machine that poses as a router neither stops a node nor has it call others, and what the true one opens is tried at once',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const { a, publicHost } = twoHomes(lab)
    const victim = publicHost('v', '5.0.0.10')
    // A private network has no QUIC, which takes ten seconds to notice that nobody answers.
    const swarmKeyFile = join(folder, 'swarm.key')
    await writeFile(swarmKeyFile, `/key/swarm/psk/1.0.0/\n/base16/\n${'1f'.repeat(32)}\n`)
    const liar = lab.host('liar')
    a.plug(liar, 66)
    // What comes to a closed port is turned away at once, so that nobody has to wait for the end of patience.
    lab.run(a.router, 'nft', `insert rule ip filter input iifname "${a.outside}" ct state new reject`)
    const [liarSays, router, relay] = await Promise.all([
      lab.gateway(liar, {
        host: '192.168.1.66',
        // Such a line ends a program that has a common library listen for routers.
        behaviour: { location: 'http://5.0.0.10/description.xml', noise: 'BYE * HTTP/1.1\r\n\r\n' },
      }),
      lab.gateway(a.router, {
        host: '192.168.1.1',
        outside: a.outside,
        behaviour: { refuse: { AddPortMapping: 606 } },
      }),
      lab.peer(victim, { publicAddr: '5.0.0.10', upnp: false, mdns: false, swarmKeyFile }),
      lab.server(victim, VICTIM),
    ])
    const donor = await lab.peer(a.host, { mdns: false, swarmKeyFile, upnpTimes: { checkMs: 100 } })
    await donor.dial(`/ip4/5.0.0.10/tcp/43905/p2p/${relay.peerId}`)
    const result = async () =>
      (await donor.facts()).reach.seen.addresses.find(({ address }) => address === OUTER)?.result
    await until(async () => (await result()) === 'unreachable', { what: 'a peer tried in vain', limitMs: 60_000 })
    await until(async () => (await donor.facts()).reach.portMapping.gateways.length === 2, {
      what: 'both are met',
      limitMs: 60_000,
    })
    await router.behave({ refuse: {} })
    await until(async () => (await result()) === 'reachable', { what: 'a peer got through', limitMs: 60_000 })
    const { addresses, reach } = await donor.facts()
    expect(addresses.filter((address) => address.startsWith(`${OUTER}/p2p/`))).toHaveLength(1)
    const { gateways } = reach.portMapping
    expect(gateways.find(({ host }) => host === '192.168.1.1')).toMatchObject({
      externalIp: '5.0.0.1',
      mappings: expect.arrayContaining(['tcp 43905 → 43905']),
    })
    expect(gateways.find(({ host }) => host === '192.168.1.66')?.problem).toEqual({
      kind: 'bad-answer',
      text: 'it says that it describes itself elsewhere, at http://5.0.0.10',
    })
    expect((await liarSays.facts()).asked).toEqual([])
    expect((await lab.fetch(victim, 'http://5.0.0.10/asked')).text).toBe('0')
  },
)

labTest(
  'only a node of the network that may ask the router searches for one',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const { a } = twoHomes(lab)
    const quiet: Partial<HostOptions>[] = [{ upnp: false }, { mode: 'standalone' }, { mode: 'local' }]
    const gateway = await lab.gateway(a.router, { host: '192.168.1.1', outside: a.outside })
    await Promise.all(
      quiet.map(async (options, index) => {
        const host = lab.host(`quiet${index}`)
        a.plug(host, 66 + index)
        await lab.peer(host, { mdns: false, ...options })
      }),
    )
    await lab.peer(a.host, { mdns: false })
    await until(async () => (await gateway.facts()).mappings.length === 3, {
      what: 'one of them asks',
      limitMs: 60_000,
    })
    expect((await gateway.facts()).searchedFrom).toEqual(['192.168.1.2'])
  },
)
