import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { labTest } from '../fixtures/lab-test.js'
import type { LabHost, LabNode, NetLab } from '../fixtures/net-lab.js'
import { until } from '../fixtures/until.js'

/** Starting a handful of nodes takes seconds where nothing else runs, and far longer on a busy machine. */
const TIMEOUT_MS = 240_000
const INVENTED = 5_000
/** More than a round of bootstrapping is content with. */
const CROWD = 12

/** Takes connections at these ports, speaks another protocol, and tells how many there were. */
const canary = (ports: readonly number[]): string => `
const counts = {}
const net = require('node:net')
const listening = ${JSON.stringify(ports)}.map((port) => new Promise((resolve) => net.createServer((socket) => {
  counts[port] = (counts[port] ?? 0) + 1
  socket.on('error', () => {}).resume().end('220 ready\\r\\n')
}).listen(port, '0.0.0.0', resolve)))
require('node:http').createServer((_, response) => response.end(JSON.stringify(counts))).listen(8080, '0.0.0.0', () =>
  Promise.all(listening).then(() => console.log('ready')))
`

const countsOf = async (lab: NetLab, host: LabHost): Promise<Record<string, number>> =>
  JSON.parse((await lab.fetch(host, 'http://127.0.0.1:8080/')).text) as Record<string, number>

/** Says by multicast DNS what it likes of whom it likes, over and over; ready when it has said all of it once. */
const liar = `
import('multiformats/bases/base58').then(async ({ base58btc }) => {
  const { encode, decode } = require('dns-packet')
  const { randomBytes } = require('node:crypto')
  const socket = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true })
  let answers = 0
  socket.on('message', (bytes, { address }) => {
    if (address !== '192.168.9.66' && decode(bytes).type === 'response') answers += 1
  })
  await new Promise((resolve) => socket.bind(5353, resolve))
  socket.addMembership('224.0.0.251', '192.168.9.66')
  socket.setMulticastInterface('192.168.9.66')
  require('node:http').createServer((_, response) => response.end(String(answers))).listen(8080)
  const send = (packet) => new Promise((resolve) => socket.send(encode(packet), 5353, '224.0.0.251', resolve))
  const invented = () => base58btc.baseEncode(Buffer.concat([Buffer.from('002408011220', 'hex'), randomBytes(32)]))
  const tell = (...addresses) => {
    const id = invented()
    const name = id + '._ocf._udp.local'
    return send({ type: 'response', answers: [
      { name: '_ocf._udp.local', type: 'PTR', ttl: 120, data: name },
      ...addresses.map((address) => ({ name, type: 'TXT', ttl: 120, data: 'dnsaddr=' + address + '/p2p/' + id })),
    ] })
  }
  const others = ['/ip4/203.0.113.9/tcp/22', '/ip4/203.0.113.9/tcp/4001', '/ip4/192.168.9.30/tcp/22',
    '/ip4/192.168.9.30/tcp/631', '/ip4/192.168.9.30/tcp/22/ws', '/ip4/127.0.0.1/tcp/4001', '/dns4/localhost/tcp/4001']
  for (let round = 0; ; round += 1) {
    // What may be dialled as far as anyone can tell: a machine of this network, at a high port.
    for (let id = 0; id < ${INVENTED}; id += 1) {
      await tell('/ip4/192.168.9.30/tcp/9999', ...others)
      await send({ type: 'query', questions: [{ name: '_ocf._udp.local', type: 'PTR' }] })
      if (id % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    if (round === 0) console.log('ready')
    await new Promise((resolve) => setTimeout(resolve, 5_000))
  }
})
`

const rssMiB = ({ pid }: LabNode): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

labTest(
  'a machine of the local network that floods multicast DNS has a node connect to nothing it may not, and hides no neighbour',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const lan = lab.lan('lan')
    const plugged = (name: string, ip: string, ...more: string[]): LabHost => {
      const host = lab.host(name)
      lan.plug(host, [`${ip}/24`, ...more], ip.endsWith('.254') ? [] : ['192.168.9.254'])
      return host
    }
    const third = plugged('third', '192.168.9.254', '203.0.113.9/24')
    const machine = plugged('machine', '192.168.9.30')
    const own = plugged('victim', '192.168.9.1')
    await Promise.all([
      lab.server(third, canary([22, 4001])),
      lab.server(machine, canary([22, 631, 9999])),
      lab.server(own, canary([4001])),
    ])
    const victim = await lab.node(own, ['--upnp', 'false'])
    const before = rssMiB(victim)
    const attacker = plugged('attacker', '192.168.9.66')
    await lab.server(attacker, liar)
    await until(async () => ((await countsOf(lab, machine))['9999'] ?? 0) > 0, {
      what: 'what may be true is tried',
      limitMs: 30_000,
    })

    const neighbour = await lab.node(plugged('neighbour', '192.168.9.2'), ['--upnp', 'false'])
    const isMet = async (): Promise<boolean> =>
      (await victim.peers()).some(({ peerId, connected }) => peerId === neighbour.peerId && connected)
    await until(isMet, { what: 'the neighbour is met', limitMs: 60_000, everyMs: 100 })

    expect(await countsOf(lab, third)).toEqual({})
    expect(await countsOf(lab, own)).toEqual({})
    const { 9999: tried = 0, ...refused } = await countsOf(lab, machine)
    expect(refused).toEqual({})
    // Both nodes hear the liar; the port is left alone after the first connection, and for longer each time.
    expect(tried).toBeLessThanOrEqual(6)
    expect(rssMiB(victim) - before).toBeLessThan(100)
    expect((await victim.peers()).length).toBeLessThan(50)
    const answers = Number((await lab.fetch(attacker, 'http://127.0.0.1:8080/')).text)
    expect(answers).toBeLessThan(200)
  },
)

const HOURS_MS = 60 * 60_000

labTest(
  'twelve nodes of one address whose clocks are two hours ahead make no clock wrong, and those of three addresses do',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const internet = lab.lan('net')
    const plugged = (name: string, ip: string): LabHost => {
      const host = lab.host(name)
      internet.plug(host, [`${ip}/24`])
      return host
    }
    const node = await lab.node(plugged('victim', '5.0.0.1'), ['--upnp', 'false', '--mdns', 'false'])
    const to = `/ip4/5.0.0.1/tcp/43905/p2p/${node.peerId}`
    const ahead = (name: string, ip: string, nodes: number): Promise<void> =>
      lab.wrongClocks(plugged(name, ip), { nodes, offsetMs: 2 * HOURS_MS, to })
    const saysClock = async (what: string): Promise<boolean> => (await node.ocf('doctor')).stdout.includes(what)
    const UNSURE = 'This clock is 2 h behind those of the few peers'

    await ahead('many', '5.0.0.12', 12)
    await until(() => saysClock(UNSURE), { what: 'the twelve are heard', limitMs: 60_000 })
    await ahead('other', '5.0.0.13', 1)
    expect(await saysClock(UNSURE)).toBe(true)
    expect(node.stderr()).not.toContain('this machine’s clock seems')

    await ahead('third', '5.0.0.14', 1)
    await until(() => node.stderr().includes('this machine’s clock seems 2 hours behind'), {
      what: 'three sources are believed',
      limitMs: 60_000,
    })
    expect(await saysClock('This clock is 2 h behind those of the peers.')).toBe(true)
  },
)

/** Hosts that take connections and say nothing of anyone, listed by a bootstrap source at port 8080. */
const crowd = (ip: string, size: number): string => `
Promise.all(['libp2p', '@libp2p/tcp', '@libp2p/noise', '@libp2p/yamux', '@libp2p/identify'].map((name) => import(name)))
  .then(async ([{ createLibp2p }, { tcp }, { noise }, { yamux }, { identify }]) => {
    const hosts = await Promise.all(Array.from({ length: ${size} }, (_, index) => createLibp2p({
      addresses: { listen: ['/ip4/${ip}/tcp/' + (4001 + index)] },
      transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()], services: { identify: identify() },
    })))
    require('node:http').createServer((request, response) => response.end(JSON.stringify(request.url === '/met'
      ? hosts.filter((host) => host.getConnections().length > 0).length
      : { bootstraps: hosts.map(({ peerId }, index) => '/ip4/${ip}/tcp/' + (4001 + index) + '/p2p/' + peerId) },
    ))).listen(8080, '0.0.0.0', () => console.log('ready'))
  })
`

const MODEL_SERVER = `
require('node:http').createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(request.method === 'GET'
    ? { object: 'list', data: [{ id: 'tiny', object: 'model', created: 1, owned_by: 'lab' }] }
    : { choices: [] }))
}).listen(9000, '127.0.0.1', () => console.log('ready'))
`

labTest(
  'a newcomer whose bootstrap source names only hostile peers finds the honest neighbour of its local network, and is answered',
  { timeout: TIMEOUT_MS },
  async ({ lab }) => {
    const lan = lab.lan('lan')
    const internet = lab.lan('net')
    const home = (name: string, index: number): LabHost => {
      const host = lab.host(name)
      lan.plug(host, [`192.168.9.${index}/24`])
      internet.plug(host, [`5.0.0.${index}/24`])
      return host
    }
    const hostile = lab.host('hostile')
    internet.plug(hostile, ['5.0.0.66/24'])
    await lab.server(hostile, crowd('5.0.0.66', CROWD))
    const met = async (): Promise<number> => Number((await lab.fetch(hostile, 'http://127.0.0.1:8080/met')).text)

    const newcomer = await lab.node(home('newcomer', 1), [
      ...['--upnp', 'false', '--demo-model', 'off'],
      ...['--bootstrap.sources', 'http://5.0.0.66:8080/'],
    ])
    await until(async () => (await met()) >= 8, { what: 'the newcomer is surrounded', limitMs: 60_000 })
    const honest = home('honest', 2)
    await lab.server(honest, MODEL_SERVER)
    const llm = ['--service.name', 'llm', '--service.port', '9000']
    const neighbour = await lab.node(honest, ['--upnp', 'false', '--demo-model', 'off', ...llm])

    const ask = () =>
      lab.fetch(
        newcomer.host,
        `${newcomer.gateway}/v1/chat/completions`,
        JSON.stringify({ model: 'tiny', messages: [] }),
      )
    await until(async () => (await ask()).status === 200, { what: 'the neighbour answers', limitMs: 60_000 })
    const models = await lab.fetch(newcomer.host, `${newcomer.gateway}/v1/models`)
    expect((JSON.parse(models.text) as { data: { id: string }[] }).data.map(({ id }) => id)).toEqual(['tiny'])
    expect((await newcomer.peers()).find(({ peerId }) => peerId === neighbour.peerId)?.connected).toBe(true)
  },
)
