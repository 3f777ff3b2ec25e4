import { expect } from 'vitest'
import type { PeerView } from '#shared/contract/network/peers.js'
import { labTest } from '../fixtures/lab-test.js'
import { forwardPort, symmetricNat, twoHomes, type LabNode, type NetLab } from '../fixtures/net-lab.js'
import { until } from '../fixtures/until.js'

/** 10 MB, then its end; each request the same. */
const BULK = `
require('node:http').createServer((request, response) => {
  if (request.url === '/health') return response.end('ok')
  if (request.url === '/slow') {
    let left = 32
    const timer = setInterval(() => { response.write('tick\\n'); left -= 1; if (left === 0) { clearInterval(timer); response.end('done\\n') } }, 250)
    return
  }
  const block = Buffer.alloc(65536, 7)
  let left = 160
  const write = () => { while (left > 0) { left -= 1; if (!response.write(block)) return response.once('drain', write) } response.end() }
  write()
}).listen(9000, '127.0.0.1', () => console.log('ready'))
`

/** Starting a handful of nodes takes seconds where nothing else runs, and far longer on a busy machine. */
const TIMEOUT_MS = 240_000

const relayFlags = (ip: string): string[] => ['--public-addr', ip, '--upnp', 'false']
const bootstrapFrom = (...ips: string[]): string[] => [
  '--upnp',
  'false',
  ...ips.flatMap((ip) => ['--bootstrap.addr', `/ip4/${ip}/tcp/43905`]),
]
const SERVICE = [
  '--service.name',
  'bulk',
  '--service.port',
  '9000',
  '--service.identity-group',
  'all',
  '--service.shared-path',
  '/bulk',
  '--service.shared-path',
  '/slow',
]

const pathTo = async (node: LabNode, other: LabNode): Promise<PeerView | undefined> =>
  (await node.peers()).find(({ peerId }) => peerId === other.peerId)

async function untilOffered(node: LabNode, by: LabNode): Promise<void> {
  const isOffered = async () => (await pathTo(node, by))?.offers.includes('bulk:all')
  await until(isOffered, { what: 'the offer is known', limitMs: 60_000, everyMs: 100 })
}

/** Whoever asks before gets a refusal: there is no way to the provider yet. */
async function untilRelayed(lab: NetLab, node: LabNode, relay?: LabNode): Promise<void> {
  const place = relay === undefined ? 'p2p-circuit' : `${relay.peerId}/p2p-circuit`
  const hasPlace = async () => (await lab.fetch(node.host, `${node.gateway}/v1/dnt/bootstraps`)).text.includes(place)
  await until(hasPlace, { what: 'the provider has a place at a relay', limitMs: 60_000, everyMs: 100 })
}

const bulk = (lab: NetLab, node: LabNode) => lab.fetch(node.host, `${node.gateway}/v1/service/bulk/bulk`)

labTest(
  'two nodes behind two NATs stream 10 MB through a public relay, and its death is survived or told',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const { a, b, publicHost } = twoHomes(lab, symmetricNat)
    await lab.server(b.host, BULK)
    const [one, two] = await Promise.all([
      lab.node(publicHost('p1', '5.0.0.10'), relayFlags('5.0.0.10')),
      lab.node(publicHost('p2', '5.0.0.11'), [...relayFlags('5.0.0.11'), ...bootstrapFrom('5.0.0.10')]),
    ])
    const [asker, provider] = await Promise.all([
      lab.node(a.host, bootstrapFrom('5.0.0.10', '5.0.0.11')),
      lab.node(b.host, [...bootstrapFrom('5.0.0.10', '5.0.0.11'), ...SERVICE]),
    ])
    await untilOffered(asker, provider)
    await untilRelayed(lab, provider)
    const first = await bulk(lab, asker)
    expect(first).toMatchObject({ status: 200, bytes: 10 * 1024 * 1024 })
    const path = await pathTo(asker, provider)
    expect(path?.paths).toEqual(['relayed'])
    expect([one.peerId, two.peerId]).toContain(path?.relays?.[0])
    await until(async () => ((await pathTo(asker, provider))?.rttMs ?? 0) > 0, { what: 'the round trip is measured' })

    const [dying, left] = path?.relays?.[0] === one.peerId ? [one, two] : [two, one]
    await dying.kill()
    const killedAt = performance.now()
    await until(async () => (await bulk(lab, asker)).status === 200, {
      what: 'the other relay is used',
      limitMs: 15_000,
      everyMs: 200,
    })
    expect(performance.now() - killedAt).toBeLessThan(15_000)
    expect((await pathTo(asker, provider))?.relays).toEqual([left.peerId])
    await until(
      async () => {
        const { text } = await lab.fetch(provider.host, `${provider.gateway}/v1/dnt/bootstraps`)
        return text.includes(`${left.peerId}/p2p-circuit`) && !text.includes(dying.peerId)
      },
      { what: 'the provider tells no address over the dead relay', limitMs: 15_000, everyMs: 100 },
    )
    expect((await provider.ocf('doctor')).stdout).toContain(`through 1 relay: ${left.peerId} (renews at `)

    await left.kill()
    const gone = performance.now()
    const refused = await bulk(lab, asker)
    expect(refused.status).toBeGreaterThanOrEqual(500)
    expect(refused.text).toMatch(/"code":"(no_provider|upstream_failed)"/)
    expect(performance.now() - gone).toBeLessThan(15_000)
  },
)

labTest(
  'a relayed peer is reached directly once its router opens a port, and the answer under way is not cut',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const { a, b, publicHost } = twoHomes(lab, symmetricNat)
    await lab.server(b.host, BULK)
    const relay = await lab.node(publicHost('p1', '5.0.0.10'), relayFlags('5.0.0.10'))
    const asker = await lab.node(a.host, bootstrapFrom('5.0.0.10'))
    const provider = await lab.node(b.host, [...bootstrapFrom('5.0.0.10'), ...SERVICE])
    await untilOffered(asker, provider)
    await untilRelayed(lab, provider, relay)
    const slow = lab.fetch(asker.host, `${asker.gateway}/v1/service/bulk/slow`)
    expect((await provider.ocf('doctor')).stdout).toContain('did not get through')
    forwardPort(lab, b.router, b.outside, 43905, b.address)
    // The doctor asks peers anew, and what they could dial is announced.
    expect((await provider.ocf('doctor')).stdout).toMatch(/Peers reached this node at \/ip4\/5\.0\.0\.2\/tcp\/43905/)
    await until(async () => (await pathTo(asker, provider))?.paths.includes('direct-tcp'), {
      what: 'the path is direct',
      limitMs: 100_000,
      everyMs: 200,
    })
    expect(await slow).toMatchObject({ status: 200, text: `${'tick\n'.repeat(32)}done\n` })
    const direct = await bulk(lab, asker)
    expect(direct).toMatchObject({ status: 200, bytes: 10 * 1024 * 1024 })
    await until(async () => (await pathTo(asker, provider))?.relays === undefined, {
      what: 'the relay is let go',
      limitMs: 60_000,
      everyMs: 100,
    })
  },
)

labTest(
  'a provider behind a forwarded port is found by a node that only heard of it, without any relay',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const { a, b, publicHost } = twoHomes(lab, symmetricNat)
    await lab.server(b.host, BULK)
    await lab.node(publicHost('p1', '5.0.0.10'), [...relayFlags('5.0.0.10'), '--relay', 'off'])
    const asker = await lab.node(a.host, bootstrapFrom('5.0.0.10'))
    const provider = await lab.node(b.host, [...bootstrapFrom('5.0.0.10'), ...SERVICE])
    await untilOffered(asker, provider)
    expect((await bulk(lab, asker)).status).toBeGreaterThanOrEqual(500)
    forwardPort(lab, b.router, b.outside, 43905, b.address)
    expect((await provider.ocf('doctor')).stdout).toMatch(/Peers reached this node at \/ip4\/5\.0\.0\.2\/tcp\/43905/)
    await until(async () => (await bulk(lab, asker)).status === 200, {
      what: 'the provider is reached',
      limitMs: 60_000,
      everyMs: 500,
    })
    expect((await pathTo(asker, provider))?.paths).toEqual(['direct-tcp'])
  },
)
