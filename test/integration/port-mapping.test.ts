import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, test } from 'vitest'
import { libp2pLogger } from '../../src-main/logging/logger.js'
import type { GatewayTimes } from '../../src-main/p2p/reach/upnp/gateway-control.js'
import { searchGateways } from '../../src-main/p2p/reach/upnp/gateway-search.js'
import type { GatewayFacts } from '../../src-main/p2p/reach/upnp/mapped-gateway.js'
import { portMapping, type PortMapping, type PortMappingOptions } from '../../src-main/p2p/reach/upnp/port-mapping.js'
import { startFakeGateway, type FakeGateway, type GatewayBehaviour } from '../fixtures/fake-gateway.js'
import { createRecordingLog, type RecordingLog } from '../fixtures/recording-log.js'
import { until } from '../fixtures/until.js'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** This node's address in the router's network: nothing is mapped for loopback, which is where the test really runs. */
const HERE = '192.168.77.2'
const LOOPBACK = { address: '127.0.0.1', cidr: '127.0.0.1/8' }
const REFUSED = 'the router cannot open a port for this node'
/** Rounds follow each other at once, so that what is said or done once too often shows. */
const TIMES: GatewayTimes = {
  checkMs: 20,
  retryMs: 10,
  searchMs: 60_000,
  renewMs: 60_000,
  answerMs: 5_000,
  closeMs: 5_000,
}
const IMPATIENT = { answerMs: 150, closeMs: 150 }
/** Only where no answer is what comes: on a busy machine even a good one takes its time. */
const patience = (kind: string): Partial<GatewayTimes> => (kind === 'no-answer' ? IMPATIENT : {})

async function gatewayOf(behaviour: Partial<GatewayBehaviour> = {}): Promise<FakeGateway> {
  const gateway = await startFakeGateway({ host: '127.0.0.1', loopbackIs: HERE, behaviour })
  ends.push(() => gateway.close())
  return gateway
}

interface Node {
  service: PortMapping
  log: RecordingLog
  /** Where libp2p was told that this node is reached: `tcp 5.0.0.1 43905`. */
  reachedAt: Set<string>
  /** What it listens on; a change is told as libp2p tells it. */
  listen: (addresses: string[]) => void
  /** Moves this machine into other local networks. */
  moveTo: (addresses: string[]) => void
  opened: () => number
}

async function nodeBehind(
  ssdpPort: number,
  times: Partial<GatewayTimes> = {},
  options: PortMappingOptions = {},
): Promise<Node> {
  const log = createRecordingLog()
  const reachedAt = new Set<string>()
  const events = new EventTarget()
  let listening = [`/ip4/${HERE}/tcp/43905`, `/ip4/${HERE}/tcp/43906/ws`, `/ip4/${HERE}/udp/59820/quic-v1`]
  let here = [HERE]
  const addressManager = {
    getAddressesWithMetadata: () => listening.map((text) => ({ multiaddr: multiaddr(text), type: 'transport' })),
    addPublicAddressMapping: (_host: string, _port: number, ip: string, port: number, protocol: string) =>
      reachedAt.add(`${protocol} ${ip} ${port}`),
    removePublicAddressMapping: (_host: string, _port: number, ip: string, port: number, protocol: string) =>
      reachedAt.delete(`${protocol} ${ip} ${port}`),
  }
  const create = portMapping(
    { log },
    {
      times: { ...TIMES, ...times },
      interfaces: () => here.map((address) => ({ address, cidr: `${address}/24` })),
      search: (needs, { signal }) =>
        searchGateways(
          { ...needs, onAnswer: (answer) => needs.onAnswer({ ...answer, localAddress: HERE }) },
          { signal, interfaces: [LOOPBACK], target: { host: '127.0.0.1', port: ssdpPort }, pauseMs: 20 },
        ),
      ...options,
    },
  )
  const logger = libp2pLogger(log, { errorsAs: 'debug' })
  const service = create({ addressManager, events, logger } as unknown as Parameters<typeof create>[0])
  let opened = 0
  service.onOpened(() => (opened += 1))
  await service.start()
  await service.afterStart?.()
  ends.push(() => service.stop())
  return {
    service,
    log,
    reachedAt,
    listen: (addresses) => {
      listening = addresses
      events.dispatchEvent(new Event('transport:listening'))
    },
    moveTo: (addresses) => (here = addresses),
    opened: () => opened,
  }
}

const factsOf = (node: Node): GatewayFacts | undefined => node.service.facts().gateways[0]
const untilProblem = (node: Node): Promise<NonNullable<GatewayFacts['problem']>> =>
  until(() => factsOf(node)?.problem, { what: 'the router has a problem' })
const untilOpen = (node: Node, count = 3) =>
  until(() => factsOf(node)?.mappings.length === count, { what: `${count} ports are open` })
const complaints = (node: Node): string[] =>
  node.log.lines.flatMap(({ message, fields }) => (message === REFUSED ? [String(fields['problem'])] : []))
/** So many looks at the router came and went. */
async function untilAsked(gateway: FakeGateway, what: string, count: number): Promise<void> {
  const asked = (): number => gateway.asked.filter((text) => text.startsWith(what)).length
  await until(() => asked() >= count, { what: `${what} was asked ${count} times` })
}

test.each([1, 2] as const)(
  'a router of generation %s opens all ports, and closes them when the node stops',
  async (generation) => {
    const gateway = await gatewayOf({ generation })
    const node = await nodeBehind(gateway.ssdpPort)
    await untilOpen(node)
    expect(node.service.facts()).toEqual({
      state: 'found',
      gateways: [
        {
          host: '127.0.0.1',
          externalIp: '5.0.0.1',
          mappings: ['tcp 43905 → 43905', 'tcp 43906 → 43906', 'udp 59820 → 59820'],
          problem: undefined,
        },
      ],
    })
    expect([...node.reachedAt]).toEqual(['tcp 5.0.0.1 43905', 'tcp 5.0.0.1 43906', 'udp 5.0.0.1 59820'])
    await until(() => node.opened() === 1, { what: 'it is told' })
    await node.service.stop()
    expect(gateway.mappings()).toEqual([])
    expect([...node.reachedAt]).toEqual([])
  },
)

test.each(['192.168.7.2', '100.64.3.4'])(
  'a router with the private address %s opens ports, but nobody is told to come there, and that is said once',
  async (externalIp) => {
    const gateway = await gatewayOf({ externalIp })
    const node = await nodeBehind(gateway.ssdpPort)
    await untilAsked(gateway, 'GetExternalIPAddress', 4)
    expect(factsOf(node)).toMatchObject({ externalIp, problem: { kind: 'private-address' } })
    expect(complaints(node)).toEqual([
      `its external address ${externalIp} is private: there is another router in front of it`,
    ])
    // An outer router may forward everything to this one.
    expect(gateway.mappings()).toHaveLength(3)
    expect([...node.reachedAt]).toEqual([])
  },
)

test.each([
  ['is empty', ''],
  ['is unset', '0.0.0.0'],
  ['has too large numbers', '999.1.1.1'],
  ['is one for documentation', '203.0.113.5'],
  ['is of the other family', 'fe80::1'],
  ['is prose', 'none of your business'],
  ['is very long', '5.0.0.1 '.repeat(4000)],
])('a router whose external address %s is asked for no port, and that is said once', async (_, externalIp) => {
  const gateway = await gatewayOf({ externalIp })
  const node = await nodeBehind(gateway.ssdpPort)
  await untilAsked(gateway, 'GetExternalIPAddress', 4)
  expect(await untilProblem(node)).toMatchObject({ kind: 'bad-address' })
  expect(complaints(node)).toHaveLength(1)
  expect(complaints(node)[0]?.length).toBeLessThan(120)
  expect(gateway.asked).not.toContain('AddPortMapping')
})

test.each([
  ['hang', 'no-answer', 'it does not answer HTTP within 0.15 s'],
  ['drip', 'no-answer', 'it does not answer HTTP within 0.15 s'],
  ['html', 'bad-answer', 'what it sends as its description is none'],
  ['huge', 'bad-answer', 'it answers with more than 64 KiB'],
  ['redirect', 'bad-answer', 'it answers with status 302 instead of its description'],
  ['no-service', 'bad-answer', 'its description has no service that opens ports'],
] as const)(
  'a router whose description is "%s" is given up on with its reason, once',
  async (description, kind, text) => {
    const gateway = await gatewayOf({ description })
    const node = await nodeBehind(gateway.ssdpPort, { searchMs: 50, ...patience(kind) })
    await untilAsked(gateway, 'GET /description.xml', 2)
    expect(await untilProblem(node)).toEqual({ kind, text })
    expect(complaints(node)).toEqual([text])
    expect(gateway.asked.every((asked) => asked === 'GET /description.xml')).toBe(true)
  },
)

test.each([
  ['hang', 'no-answer', 'it does not answer HTTP within 0.15 s'],
  ['html', 'bad-answer', 'it answers GetExternalIPAddress with status 200 and no UPnP'],
  ['huge', 'bad-answer', 'it answers with more than 64 KiB'],
] as const)(
  'a router that answers calls with "%s" is given up on with its reason, once, and asked again',
  async (calls, kind, text) => {
    const gateway = await gatewayOf({ calls })
    const node = await nodeBehind(gateway.ssdpPort, patience(kind))
    await untilAsked(gateway, 'GetExternalIPAddress', 3)
    expect(await untilProblem(node)).toEqual({ kind, text })
    expect(complaints(node)).toEqual([text])
    gateway.behave({ calls: 'fine' })
    await untilOpen(node)
    await until(() => factsOf(node)?.problem === undefined, { what: 'the problem is gone' })
  },
)

test('a router that describes itself late is asked again before the next search is due', async () => {
  const gateway = await gatewayOf({ description: 'hang' })
  const node = await nodeBehind(gateway.ssdpPort, IMPATIENT)
  await untilProblem(node)
  gateway.behave({ description: 'fine' })
  await untilOpen(node)
})

test('a description that points to another host has nobody called there', async () => {
  const victim = await gatewayOf()
  const gateway = await gatewayOf({ controlUrl: victim.origin.replace('127.0.0.1', 'localhost') })
  const node = await nodeBehind(gateway.ssdpPort)
  expect(await untilProblem(node)).toMatchObject({
    kind: 'bad-answer',
    text: expect.stringContaining('its description points to another host, localhost'),
  })
  expect(victim.asked).toEqual([])
})

test('a port another machine has is replaced by another one', async () => {
  const gateway = await gatewayOf({ taken: ['tcp 43905'] })
  const node = await nodeBehind(gateway.ssdpPort)
  await untilOpen(node)
  const mapping = gateway.mappings().find(({ innerPort }) => innerPort === 43905)
  expect(mapping?.outerPort).not.toBe(43905)
  expect([...node.reachedAt]).toContain(`tcp 5.0.0.1 ${mapping?.outerPort}`)
  expect(complaints(node)).toEqual([])
})

test('a port that a rule made by hand has is left alone where the public address was given', async () => {
  const gateway = await gatewayOf({ taken: ['tcp 43905'] })
  const node = await nodeBehind(gateway.ssdpPort, {}, { publicAddress: { port: undefined } })
  await untilOpen(node, 2)
  expect(gateway.mappings().map(({ innerPort }) => innerPort)).toEqual([43906, 59820])
  const { kind, text } = await untilProblem(node)
  expect({ kind, text }).toEqual({
    kind: 'refused',
    text: 'it refuses to open tcp port 43905 (error 718: another machine has that port)',
  })
  await untilAsked(gateway, 'GetExternalIPAddress', 4)
  expect(node.log.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
})

test('a public address given with its port has that port opened for TCP, and no other', async () => {
  const gateway = await gatewayOf()
  const node = await nodeBehind(gateway.ssdpPort, {}, { publicAddress: { port: 4001 } })
  await untilOpen(node, 1)
  expect(gateway.mappings()).toMatchObject([{ protocol: 'tcp', outerPort: 4001, innerPort: 43905 }])
})

test.each([725, 402, 501])(
  'a router that knows no leases (error %s) opens ports for good, and they are closed all the same',
  async (code) => {
    const gateway = await gatewayOf({ noLeases: code })
    const node = await nodeBehind(gateway.ssdpPort)
    await untilOpen(node)
    expect(gateway.mappings().map(({ leaseSeconds }) => leaseSeconds)).toEqual([0, 0, 0])
    expect(complaints(node)).toEqual([])
    await node.service.stop()
    expect(gateway.mappings()).toEqual([])
  },
)

test('a router that refuses says why, once, however often it is asked', async () => {
  const gateway = await gatewayOf({ refuse: { AddPortMapping: 606 } })
  const node = await nodeBehind(gateway.ssdpPort)
  await untilAsked(gateway, 'AddPortMapping', 9)
  expect(complaints(node)).toEqual([
    'it refuses to open tcp port 43905 (error 606: programs are not allowed to open ports)',
  ])
  expect(factsOf(node)).toMatchObject({ mappings: [], problem: { kind: 'refused' } })
  gateway.behave({ refuse: {} })
  await untilOpen(node)
})

test('no router at all is said once, and one that is switched on later is found', async () => {
  const gateway = await gatewayOf({ silent: true })
  const node = await nodeBehind(gateway.ssdpPort, { searchMs: 10 })
  await until(() => node.service.facts().state === 'none', { what: 'the first search ended' })
  const before = gateway.searches()
  await until(() => gateway.searches() >= before + 24, { what: 'it was searched for repeatedly' })
  gateway.behave({ silent: false })
  await untilOpen(node)
  expect(node.log.lines.filter(({ message }) => message.startsWith('no router answered'))).toHaveLength(1)
})

test('open ports are asked for again before their lease ends, so a router that forgot them opens them anew', async () => {
  const gateway = await gatewayOf()
  const node = await nodeBehind(gateway.ssdpPort, { renewMs: 10 })
  await untilOpen(node)
  await untilAsked(gateway, 'AddPortMapping', 6)
  gateway.forget()
  await until(() => gateway.mappings().length === 3, { what: 'the ports are open again' })
  expect(node.log.lines.filter(({ message }) => message === 'the router opened a port')).toHaveLength(3)
})

test('a new external address takes the place of the old one', async () => {
  const gateway = await gatewayOf()
  const node = await nodeBehind(gateway.ssdpPort)
  await untilOpen(node)
  await until(() => node.opened() === 1, { what: 'it is told' })
  gateway.behave({ externalIp: '5.0.0.99' })
  await until(() => node.reachedAt.has('udp 5.0.0.99 59820'), { what: 'the new address is used' })
  expect([...node.reachedAt].sort()).toEqual(['tcp 5.0.0.99 43905', 'tcp 5.0.0.99 43906', 'udp 5.0.0.99 59820'])
  await until(() => node.opened() > 1, { what: 'it is told again' })
  expect(node.opened()).toBe(2)
})

test('a second new external address takes the place of the first new one', async () => {
  const gateway = await gatewayOf()
  const node = await nodeBehind(gateway.ssdpPort)
  await untilOpen(node)
  for (const externalIp of ['5.0.0.98', '5.0.0.99']) {
    gateway.behave({ externalIp })
    await until(() => node.reachedAt.has(`udp ${externalIp} 59820`), { what: 'the new address is used' })
  }
  expect([...node.reachedAt].sort()).toEqual(['tcp 5.0.0.99 43905', 'tcp 5.0.0.99 43906', 'udp 5.0.0.99 59820'])
})

test('an external address that was lost and came back leads here again', async () => {
  const gateway = await gatewayOf()
  const node = await nodeBehind(gateway.ssdpPort)
  await untilOpen(node)
  gateway.behave({ externalIp: '0.0.0.0' })
  await until(() => node.reachedAt.size === 0, { what: 'the lost address is taken back' })
  gateway.behave({ externalIp: '5.0.0.1' })
  await until(() => node.reachedAt.size === 3, { what: 'the address is used again' })
})

test('a port that is refused when it is renewed is taken back, and opened once it is allowed again', async () => {
  const gateway = await gatewayOf()
  const node = await nodeBehind(gateway.ssdpPort, { renewMs: 10 })
  await untilOpen(node)
  gateway.behave({ refuse: { AddPortMapping: 606 } })
  gateway.forget()
  await until(() => node.reachedAt.size === 0, { what: 'the ports are taken back' })
  gateway.behave({ refuse: {} })
  await until(() => node.reachedAt.size === 3 && gateway.mappings().length === 3, { what: 'the ports are open again' })
})

test('a renewed port that another machine has by now leads here from its new outer port only', async () => {
  const gateway = await gatewayOf()
  const node = await nodeBehind(gateway.ssdpPort, { renewMs: 10 })
  await untilOpen(node)
  gateway.forget()
  gateway.behave({ taken: ['tcp 43905'] })
  await until(() => !node.reachedAt.has('tcp 5.0.0.1 43905'), { what: 'the lost port is taken back' })
  const outerPort = (): number | undefined => gateway.mappings().find(({ innerPort }) => innerPort === 43905)?.outerPort
  await until(() => node.reachedAt.has(`tcp 5.0.0.1 ${outerPort()}`), { what: 'the new port is used' })
  gateway.behave({ externalIp: '5.0.0.99' })
  await until(() => node.reachedAt.has('udp 5.0.0.99 59820'), { what: 'the new address is used' })
  expect(node.reachedAt).toEqual(new Set([`tcp 5.0.0.99 ${outerPort()}`, 'tcp 5.0.0.99 43906', 'udp 5.0.0.99 59820']))
})

test('a router is forgotten when the machine leaves its network, and asked again when it comes back', async () => {
  const gateway = await gatewayOf()
  const node = await nodeBehind(gateway.ssdpPort, { closeMs: 100 })
  await untilOpen(node)
  gateway.behave({ calls: 'hang' })
  node.moveTo([])
  await until(() => node.reachedAt.size === 0, { what: 'its addresses are taken back' })
  expect(node.service.facts().gateways).toEqual([])
  gateway.forget()
  gateway.behave({ calls: 'fine', externalIp: '5.0.0.99' })
  node.moveTo([HERE])
  await untilOpen(node)
  await until(() => node.reachedAt.size === 3, { what: 'it leads here again' })
  expect([...node.reachedAt].sort()).toEqual(['tcp 5.0.0.99 43905', 'tcp 5.0.0.99 43906', 'udp 5.0.0.99 59820'])
})

test('ports that are listened on later are opened, and those that are no longer are closed', async () => {
  const gateway = await gatewayOf()
  const node = await nodeBehind(gateway.ssdpPort, { checkMs: 60_000 })
  await untilOpen(node)
  node.listen([`/ip4/${HERE}/tcp/43905`, `/ip4/${HERE}/tcp/43907/ws`, '/ip4/10.9.9.9/tcp/43905'])
  await until(() => [...node.reachedAt].includes('tcp 5.0.0.1 43907'), { what: 'the new port is open' })
  expect(gateway.mappings().map(({ outerPort }) => outerPort)).toEqual([43905, 43907])
})

test('a node that listens at no address of a local network asks nobody', async () => {
  const gateway = await gatewayOf()
  const node = await nodeBehind(gateway.ssdpPort, {}, { interfaces: () => [] })
  await until(() => node.service.facts().state === 'unneeded', { what: 'it needs no router' })
  expect(gateway.searches()).toBe(0)
})

test('a router that hangs does not keep a node from stopping', async () => {
  const gateway = await gatewayOf()
  const node = await nodeBehind(gateway.ssdpPort, { closeMs: 100, answerMs: 60_000 })
  await untilOpen(node)
  gateway.behave({ calls: 'hang' })
  await untilAsked(gateway, 'GetExternalIPAddress', gateway.asked.filter((text) => text.startsWith('Get')).length + 1)
  await node.service.stop()
  expect(gateway.mappings()).toHaveLength(3)
})
