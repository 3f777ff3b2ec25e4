import { expect } from 'vitest'
import type { PeerView } from '#shared/contract/network/peers.js'
import { labTest } from '../fixtures/lab-test.js'
import { symmetricNat, twoHomes, type LabHost, type LabNode, type NetLab } from '../fixtures/net-lab.js'
import { until } from '../fixtures/until.js'

const SERVER = `
require('node:http').createServer((request, response) => request.on('end', () => response.end('here')).resume()).listen(9000, '127.0.0.1', () => console.log('ready'))
`

/** Starting a handful of nodes takes seconds where nothing else runs, and far longer on a busy machine. */
const TIMEOUT_MS = 240_000
/** What the network promises. */
const NOTICED_WITHIN_MS = 15_000

const relayFlags = (ip: string): string[] => ['--public-addr', ip, '--upnp', 'false']
const bootstrapFrom = (...addresses: string[]): string[] => [
  ...['--upnp', 'false'],
  ...addresses.flatMap((address) => ['--bootstrap.addr', address]),
]
const SERVICE = [
  ...['--service.name', 'here', '--service.port', '9000'],
  ...['--service.identity-group', 'all', '--service.shared-path', '/'],
]

const pathTo = async (node: LabNode, other: LabNode): Promise<PeerView | undefined> =>
  (await node.peers()).find(({ peerId }) => peerId === other.peerId)

const ask = (lab: NetLab, node: LabNode) => lab.fetch(node.host, `${node.gateway}/v1/service/here/`)
const announced = async (lab: NetLab, node: LabNode): Promise<string> =>
  (await lab.fetch(node.host, `${node.gateway}/v1/dnt/bootstraps`)).text

/** As if its cable had been pulled: nothing goes in or out, and nobody is told. */
function pullTheCable(lab: NetLab, host: LabHost): void {
  lab.run(host, 'nft', 'add table inet cable')
  for (const hook of ['input', 'output']) {
    lab.run(host, 'nft', `add chain inet cable ${hook} { type filter hook ${hook} priority 0 ; policy drop ; }`)
  }
}

labTest.for(['tcp/43905', 'udp/59820/quic-v1'])(
  'a relay met over %s that vanishes without a word is replaced, and no longer announced',
  { timeout: TIMEOUT_MS },
  async (port, { lab }) => {
    const { a, b, publicHost } = twoHomes(lab, symmetricNat)
    await lab.server(b.host, SERVER)
    const hosts = [publicHost('p1', '5.0.0.10'), publicHost('p2', '5.0.0.11')] as const
    const met = ['5.0.0.10', '5.0.0.11'].map((ip) => `/ip4/${ip}/${port}`)
    const [one, two] = await Promise.all([
      lab.node(hosts[0], relayFlags('5.0.0.10')),
      lab.node(hosts[1], [...relayFlags('5.0.0.11'), ...bootstrapFrom('/ip4/5.0.0.10/tcp/43905')]),
    ])
    const [asker, provider] = await Promise.all([
      lab.node(a.host, bootstrapFrom(...met)),
      lab.node(b.host, [...bootstrapFrom(...met), ...SERVICE]),
    ])
    await until(async () => (await pathTo(asker, provider))?.offers.includes('here:all'), {
      ...{ what: 'the offer is known', limitMs: 60_000, everyMs: 100 },
    })
    for (const { peerId } of [one, two]) {
      await until(async () => (await announced(lab, provider)).includes(`${peerId}/p2p-circuit`), {
        ...{ what: 'the provider has a place at both relays', limitMs: 60_000, everyMs: 100 },
      })
    }
    expect(await ask(lab, asker)).toMatchObject({ status: 200, text: 'here' })
    const path = await pathTo(asker, provider)
    expect(path?.paths).toEqual(['relayed'])
    const [dying, left] = path?.relays?.[0] === one.peerId ? [one, two] : [two, one]

    pullTheCable(lab, dying === one ? hosts[0] : hosts[1])
    const pulledAt = performance.now()
    const took = (): number => performance.now() - pulledAt
    const answered = ask(lab, asker).then((answer) => ({ ...answer, ms: took() }))
    await until(async () => !(await announced(lab, provider)).includes(dying.peerId), {
      ...{ what: 'the provider tells no address over the dead relay', limitMs: NOTICED_WITHIN_MS, everyMs: 100 },
    })
    const answer = await answered
    // One request, not one of several: it went on over the other relay by itself.
    expect(answer, asker.stderr()).toMatchObject({ status: 200, text: 'here' })
    expect(answer.ms).toBeLessThan(NOTICED_WITHIN_MS)
    expect((await pathTo(asker, provider))?.relays).toEqual([left.peerId])
    expect(await announced(lab, provider)).toContain(`${left.peerId}/p2p-circuit`)
    expect((await provider.ocf('doctor')).stdout).toContain(`through 1 relay: ${left.peerId} (renews at `)

    pullTheCable(lab, left === one ? hosts[0] : hosts[1])
    const goneAt = performance.now()
    const refused = await ask(lab, asker)
    expect(refused.text).toMatch(/"code":"(no_provider|upstream_failed)"/)
    expect(performance.now() - goneAt).toBeLessThan(NOTICED_WITHIN_MS)
  },
)

/** What a poor line carries, with a queue of seconds before it. */
function narrow(lab: NetLab, host: LabHost, device: string, kbit: number): void {
  lab.run(host, 'tc', ...`qdisc add dev ${device} root tbf rate ${kbit}kbit burst 5kb latency 2s`.split(' '))
}

labTest.for(['tcp/43905', 'tcp/43906/ws', 'udp/59820/quic-v1'])(
  'an upload over a poor line at %s is no silence',
  { timeout: TIMEOUT_MS },
  async (port, { lab }) => {
    const lan = lab.lan('net')
    const [near, far] = [lab.host('near'), lab.host('far')]
    const device = lan.plug(near, ['5.0.0.10/24'])
    lan.plug(far, ['5.0.0.11/24'])
    await lab.server(far, SERVER)
    const provider = await lab.node(far, [...relayFlags('5.0.0.11'), ...SERVICE])
    const user = await lab.node(near, bootstrapFrom(`/ip4/5.0.0.11/${port}`))
    await until(async () => (await pathTo(user, provider))?.offers.includes('here:all'), {
      ...{ what: 'the offer is known', limitMs: 60_000, everyMs: 100 },
    })
    narrow(lab, near, device, 160)
    const sent = await lab.fetch(near, `${user.gateway}/v1/service/here/`, 'x'.repeat(600 * 1024))
    expect(sent, user.stderr()).toMatchObject({ status: 200, text: 'here' })
    // Longer than any silence is borne.
    expect(sent.ms).toBeGreaterThan(15_000)
    expect(user.stderr()).not.toContain('stopped answering')
  },
)
