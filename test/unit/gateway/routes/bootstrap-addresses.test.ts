import type { IncomingHttpHeaders } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { HostName } from '../../../../src-main/gateway/listener/host-name.js'
import type { GatewayNeeds } from '../../../../src-main/gateway/needs.js'
import { bootstrapAddresses } from '../../../../src-main/gateway/routes/bootstrap-addresses.js'
import { dntRoutes } from '../../../../src-main/gateway/routes/dnt.js'

const X = '12D3KooWEzksHRbD1rRhLWC7v7DZrYEQp9S24jvdLTgomDYpLAjD'
const RELAY = '12D3KooWDjJGJjudD73hd1VSdCfcX5TbBeQ7DaemU4bFiZqykfZD'
const LOOPBACK = [`/ip4/127.0.0.1/tcp/1/p2p/${X}`, `/ip6/::1/tcp/1/p2p/${X}`]
const PRIVATE = [
  `/ip4/10.1.2.3/tcp/1/p2p/${X}`,
  `/ip4/172.20.0.1/tcp/1/p2p/${X}`,
  `/ip4/192.168.1.4/udp/1/quic-v1/p2p/${X}`,
  `/ip4/169.254.1.1/tcp/1/p2p/${X}`,
  `/ip4/100.64.0.1/tcp/1/p2p/${X}`,
  `/ip6/fd00::1/tcp/1/p2p/${X}`,
  `/ip6/fe80::1/tcp/1/p2p/${X}`,
]
const PUBLIC = [`/ip4/8.8.8.8/tcp/1/p2p/${X}`, `/ip6/2001:4860::1/tcp/1/p2p/${X}`, `/dns4/ocf.example/tcp/1/p2p/${X}`]
const ALL = [...LOOPBACK, ...PRIVATE, ...PUBLIC]

describe('the addresses told to a caller', () => {
  test.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('on this machine (%s) are all', (caller) => {
    expect(bootstrapAddresses(ALL, [caller])).toEqual(ALL)
  })

  test.each(['192.168.9.9', '10.0.0.1', 'fd12::2', '::ffff:172.16.0.9', '100.127.0.1'])(
    'in a private network (%s) leave loopback out',
    (caller) => expect(bootstrapAddresses(ALL, [caller])).toEqual([...PRIVATE, ...PUBLIC]),
  )

  test.each(['8.8.4.4', '2001:db8::1', '172.32.0.1', '100.128.0.1', undefined])(
    'far away (%s) are public',
    (caller) => {
      expect(bootstrapAddresses(ALL, caller === undefined ? [] : [caller])).toEqual(PUBLIC)
    },
  )
})

const circuit = (relay: string): string => `${relay}/p2p/${RELAY}/p2p-circuit/p2p/${X}`
const CIRCUITS = {
  loopback: circuit('/ip4/127.0.0.1/tcp/1'),
  private: circuit('/ip4/10.9.9.9/tcp/1'),
  public: circuit('/ip4/8.8.8.8/tcp/1'),
}
const LAN_ONLY = `/ip4/192.168.1.4/tcp/1/p2p/${X}`

describe('circuits over a relay', () => {
  const all = [LAN_ONLY, ...Object.values(CIRCUITS)]

  test('are as near as the relay is', () => {
    expect(bootstrapAddresses(Object.values(CIRCUITS), ['10.0.0.1'])).toEqual([CIRCUITS.private, CIRCUITS.public])
    expect(bootstrapAddresses(Object.values(CIRCUITS), ['8.8.4.4'])).toEqual([CIRCUITS.public])
  })

  test('are told where nothing direct works', () => {
    expect(bootstrapAddresses(all, ['8.8.4.4'])).toEqual([CIRCUITS.public])
    expect(bootstrapAddresses(all, ['10.0.0.1'])).toEqual([LAN_ONLY])
    expect(bootstrapAddresses(all, ['127.0.0.1'])).toEqual(all)
  })
})

test('what cannot be dialled as it stands is told to nobody', () => {
  const useless = [`/p2p/${RELAY}/p2p-circuit/p2p/${X}`, `/ip6zone/eth0/ip6/fe80::1/tcp/1/p2p/${X}`]
  for (const caller of ['127.0.0.1', '10.0.0.1', '8.8.4.4']) expect(bootstrapAddresses(useless, [caller])).toEqual([])
})

test('a caller of several addresses is as far away as the farthest', () => {
  expect(bootstrapAddresses(ALL, ['127.0.0.1', '8.8.4.4'])).toEqual(PUBLIC)
})

describe('the route', () => {
  /** What a caller gets at a listener; at the peer listener its connections tell where it is. */
  function answer(
    listener: 'local' | 'peer',
    callers: string[],
    headers: IncomingHttpHeaders = {},
    hostName: HostName = 'own',
  ): unknown {
    const connectionsTo = () => callers.map((from) => ({ remoteAddr: { toString: () => from } }))
    const host = { peerId: X, multiaddrs: () => ALL, connectionsTo }
    const route = dntRoutes({ host, table: {} } as unknown as GatewayNeeds).find(
      ({ path }) => path === '/v1/dnt/bootstraps',
    )
    const socket = { remoteAddress: listener === 'local' ? callers[0] : RELAY }
    const ctx = { state: { arrival: { listener, hostName } }, req: { socket, headers }, body: undefined as unknown }
    expect(route?.listeners).toContain(listener)
    void route?.handle?.(ctx as never, {})
    return (ctx.body as { bootstraps: string[] }).bootstraps
  }

  test.each([
    ['127.0.0.1', ALL],
    ['::1', ALL],
    ['192.168.1.9', [...PRIVATE, ...PUBLIC]],
    ['fe80::5%eth0', [...PRIVATE, ...PUBLIC]],
    ['fd00::9', [...PRIVATE, ...PUBLIC]],
    ['100.64.3.3', [...PRIVATE, ...PUBLIC]],
    ['::ffff:8.8.4.4', PUBLIC],
    ['2001:4860::8', PUBLIC],
  ])('tells a caller at %s at the local listener what it can use', (from, expected) => {
    expect(answer('local', [from])).toEqual(expected)
  })

  test.each([
    [{ 'x-forwarded-for': '8.8.4.4' }, PUBLIC],
    [{ 'x-forwarded-for': '127.0.0.1, 8.8.4.4' }, PUBLIC],
    [{ 'x-forwarded-for': '192.168.1.9, 10.0.0.1' }, [...PRIVATE, ...PUBLIC]],
    [{ 'x-forwarded-for': '127.0.0.1' }, ALL],
    [{ 'x-forwarded-for': 'unknown' }, PUBLIC],
    [{ 'x-real-ip': '2001:4860::8' }, PUBLIC],
    [{ forwarded: 'for="[2001:4860::8]:47011";proto=https' }, PUBLIC],
  ])('counts whom a reverse proxy on this machine names (%j)', (headers, expected) => {
    expect(answer('local', ['127.0.0.1'], headers)).toEqual(expected)
  })

  test.each([
    ['foreign', '127.0.0.1', PUBLIC],
    ['foreign', '172.17.0.1', PUBLIC],
    ['listed', '127.0.0.1', PUBLIC],
    ['listed', '192.168.1.9', [...PRIVATE, ...PUBLIC]],
  ] as const)('takes a request under a %s name from %s for that of a proxy’s stranger', (hostName, from, expected) => {
    expect(answer('local', [from], {}, hostName)).toEqual(expected)
  })

  test('gives nobody more for what he names himself', () => {
    expect(answer('local', ['8.8.4.4'], { 'x-forwarded-for': '127.0.0.1' })).toEqual(PUBLIC)
  })

  test.each([
    [['/ip4/127.0.0.1/tcp/5'], ALL],
    [['/ip6/::1/udp/5/quic-v1'], ALL],
    [['/ip4/192.168.1.9/tcp/5'], [...PRIVATE, ...PUBLIC]],
    [['/ip6/fd00::9/tcp/5/ws'], [...PRIVATE, ...PUBLIC]],
    [['/ip6/fe80::9/tcp/5'], [...PRIVATE, ...PUBLIC]],
    [['/ip6zone/eth0/ip6/fe80::9/tcp/5'], [...PRIVATE, ...PUBLIC]],
    [['/ip4/100.64.3.3/tcp/5'], [...PRIVATE, ...PUBLIC]],
    [['/ip4/8.8.4.4/tcp/5'], PUBLIC],
    [[`/ip4/192.168.1.9/tcp/5/p2p/${RELAY}/p2p-circuit`], PUBLIC],
    [['/ip4/192.168.1.9/tcp/5', '/ip4/8.8.4.4/tcp/5'], PUBLIC],
    [[], PUBLIC],
  ])('tells a peer connected from %j what it can use', (from, expected) => {
    expect(answer('peer', from)).toEqual(expected)
  })
})
