import { afterEach, beforeEach, expect, test } from 'vitest'
import { inLongRun } from '../fixtures/long-run.js'
import { createNetLab, whyNoNetLab, type LabHost, type LabNode, type NetLab } from '../fixtures/net-lab.js'
import { until } from '../fixtures/until.js'

const reason = whyNoNetLab()
if (reason !== undefined) process.stdout.write(`skipped: ${reason}\n`)

const SERVER = `
require('node:http').createServer((request, response) => request.on('end', () => response.end('here')).resume()).listen(9000, '127.0.0.1', () => console.log('ready'))
`
/** Starting a handful of nodes takes seconds where nothing else runs, and far longer on a busy machine. */
const TIMEOUT_MS = 240_000
/** What the network promises for requests that wait for a peer that fell silent. */
const SILENT_WITHIN_MS = 15_000
/** A request goes on this soon when another address or another provider is there; generous on a busy machine. */
const MOVED_WITHIN_MS = 3_000

const SERVICE = [
  ...['--service.name', 'here', '--service.port', '9000'],
  ...['--service.identity-group', 'all', '--service.shared-path', '/'],
]

let lab: NetLab
beforeEach(() => {
  if (reason === undefined) lab = createNetLab()
})
afterEach(async () => {
  if (reason === undefined) await lab.close()
})

/** A user of `here` and its providers, all in one network and met over that transport. */
async function oneNetwork(transport: string, providers: number) {
  const lan = lab.lan('net')
  const plugged = (name: string, number: number) => {
    const host = lab.host(name)
    return { host, ip: `5.0.0.${number}`, device: lan.plug(host, [`5.0.0.${number}/24`]) }
  }
  const places = Array.from({ length: providers }, (_, index) => plugged(`p${index}`, 11 + index))
  const nodes = await Promise.all(
    places.map(async (place) => {
      await lab.server(place.host, SERVER)
      const node = await lab.node(place.host, ['--public-addr', place.ip, '--upnp', 'false', ...SERVICE])
      return { ...place, node }
    }),
  )
  const home = plugged('user', 10)
  const addresses = nodes.flatMap(({ ip }) => ['--bootstrap.addr', `/ip4/${ip}/${transport}`])
  const user = { ...home, node: await lab.node(home.host, ['--upnp', 'false', ...addresses]) }
  for (const { node } of nodes) {
    await until(async () => (await user.node.peers()).find(isOffering(node)), {
      ...{ what: 'the offer is known', limitMs: 60_000, everyMs: 100 },
    })
  }
  const ask = () => lab.fetch(user.host, `${user.node.gateway}/v1/service/here/`)
  for (let turn = 0; turn < 4; turn += 1) expect((await ask()).text).toBe('here')
  return { user, providers: nodes, ask }
}

const isOffering =
  ({ peerId }: LabNode) =>
  (peer: { peerId: string; offers: readonly string[] }): boolean =>
    peer.peerId === peerId && peer.offers.includes('here:all')

/** As if its cable had been pulled: nothing goes in or out, and no one hears of it. */
function pullTheCable(host: LabHost): void {
  lab.run(host, 'nft', 'add table inet cable')
  for (const hook of ['input', 'output']) {
    lab.run(host, 'nft', `add chain inet cable ${hook} { type filter hook ${hook} priority 0 ; policy drop ; }`)
  }
}

/** Another Wi-Fi: its address is gone, and it has a new one. */
function changeAddress({ host, device, ip }: { host: LabHost; device: string; ip: string }, next: string): void {
  lab.run(host, 'ip', 'addr', 'del', `${ip}/24`, 'dev', device)
  lab.run(host, 'ip', 'addr', 'add', `${next}/24`, 'dev', device)
}

test.skipIf(reason !== undefined).each(inLongRun(['tcp/43905', 'udp/59820/quic-v1'], ['tcp/43905']))(
  'no request fails when the cable of one of two providers at %s is cut',
  async (transport) => {
    const { providers, ask } = await oneNetwork(transport, 2)
    pullTheCable(providers[0]!.host)
    const slowest: number[] = []
    for (let turn = 0; turn < 40; turn += 1) {
      const answer = await ask()
      expect(answer).toMatchObject({ status: 200, text: 'here' })
      slowest.push(answer.ms)
    }
    slowest.sort((a, b) => b - a)
    process.stdout.write(`cable cut at ${transport}: ${slowest.slice(0, 3).map(Math.round).join(', ')} ms\n`)
    expect(slowest[0]).toBeLessThan(SILENT_WITHIN_MS)
    // One finds out, and the others go to who is there.
    expect(slowest[2]).toBeLessThan(MOVED_WITHIN_MS)
  },
  TIMEOUT_MS,
)

test.skipIf(reason !== undefined).each(inLongRun(['tcp/43905', 'udp/59820/quic-v1'], ['udp/59820/quic-v1']))(
  'the first request after this machine’s address changed is answered by the only provider at %s',
  async (transport) => {
    const { user, ask } = await oneNetwork(transport, 1)
    changeAddress(user, '5.0.0.77')
    const answer = await ask()
    process.stdout.write(`own address changed, ${transport}: ${Math.round(answer.ms)} ms\n`)
    expect(answer, user.node.stderr()).toMatchObject({ status: 200, text: 'here' })
    expect(answer.ms).toBeLessThan(MOVED_WITHIN_MS)
  },
  TIMEOUT_MS,
)

test.skipIf(reason !== undefined)(
  'the first request after the only provider’s address changed is answered by it',
  async () => {
    const { user, providers, ask } = await oneNetwork('tcp/43905', 1)
    changeAddress(providers[0]!, '5.0.0.78')
    const answer = await ask()
    process.stdout.write(`provider’s address changed: ${Math.round(answer.ms)} ms\n`)
    expect(answer, user.node.stderr()).toMatchObject({ status: 200, text: 'here' })
    expect(answer.ms).toBeLessThan(SILENT_WITHIN_MS)
  },
  TIMEOUT_MS,
)
