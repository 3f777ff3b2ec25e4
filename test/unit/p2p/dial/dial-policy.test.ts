import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type DialPolicyFacts,
  isOfOneMachine,
  isWithin,
  readDialAddress,
  siteAround,
  whyNotDial,
} from '../../../../src-main/p2p/dial/dial-policy.js'

const PEER = '12D3KooWDG6KQHGgqSKbkKZH5xvz9iwm2qyNtFv1u87QCuDCUDiM'
const RELAY = '12D3KooWGRUFBDQB7ZCJ4QG1YQv5kDTJwZ3T1Xg6QBMsbLHwoVxR'

/** A node of a home network that has met nobody on its own machine. */
const facts = (over: Partial<DialPolicyFacts> = {}): DialPolicyFacts => ({
  isNamed: () => false,
  isConnected: () => false,
  wasMetAt: () => false,
  wasMetOnLoopback: () => false,
  isLoopbackNetwork: () => false,
  isInOwnNetwork: (host) => host.startsWith('192.168.1.'),
  ...over,
})
const isDialled = (address: string, over: Partial<DialPolicyFacts> = {}): boolean =>
  whyNotDial(`${address}/p2p/${PEER}`, facts(over)) === undefined

describe('addresses that a stranger gives', () => {
  test('are dialled where they are public, or in a network of this machine', () => {
    for (const address of [
      '/ip4/5.0.0.1/tcp/43905',
      '/ip4/5.0.0.1/tcp/43906/ws',
      '/ip4/5.0.0.1/udp/59820/quic-v1',
      '/ip6/2a01::1/tcp/43905',
      '/ip4/5.0.0.1/tcp/443',
      '/ip4/5.0.0.1/tcp/80/ws',
      '/dns4/node.example/tcp/43905',
      '/ip4/192.168.1.9/tcp/43905',
    ]) {
      expect([address, isDialled(address)]).toEqual([address, true])
    }
  })

  test.each([
    '/ip4/127.0.0.1/tcp/43905',
    '/ip4/127.9.9.9/tcp/43905/ws',
    '/ip6/::1/tcp/43905',
    '/ip6/::ffff:127.0.0.1/tcp/43905',
    '/ip6/::ffff:7f00:1/tcp/43905',
    '/ip4/10.1.2.3/tcp/43905',
    '/ip4/172.16.0.1/tcp/43905',
    '/ip4/192.168.2.9/tcp/43905',
    '/ip4/100.64.0.1/tcp/43905',
    '/ip4/169.254.169.254/tcp/43905',
    '/ip4/198.18.0.1/tcp/43905',
    '/ip6/fd00::1/tcp/43905',
    '/ip6/fe80::1/tcp/43905',
    '/ip6/::ffff:10.1.2.3/tcp/43905',
  ])('are refused beyond the networks of this machine: %s', (address) => {
    expect(isDialled(address)).toBe(false)
  })

  test.each([
    '/ip4/0.0.0.0/tcp/43905',
    '/ip4/0.1.2.3/tcp/43905',
    '/ip4/224.0.0.251/tcp/43905',
    '/ip4/255.255.255.255/udp/43905/quic-v1',
    '/ip6/::/tcp/43905',
    '/ip6/ff02::fb/tcp/43905',
    '/ip6/64:ff9b::7f00:1/tcp/43905',
    '/ip6/2002:7f00:1::/tcp/43905',
    '/ip6/::ffff:0.0.0.0/tcp/43905',
  ])('are refused where they are no address of a machine: %s', (address) => {
    expect(isDialled(address)).toBe(false)
  })

  test.each([22, 25, 53, 139, 445, 631])('are refused at port %i, which is one of system services', (port) => {
    expect(isDialled(`/ip4/5.0.0.1/tcp/${port}`)).toBe(false)
    expect(isDialled(`/ip4/5.0.0.1/udp/${port}/quic-v1`)).toBe(false)
    expect(isDialled(`/dns4/node.example/tcp/${port}`)).toBe(false)
  })

  test('are refused at the web ports of a private network: those are of its router and its printers', () => {
    expect(isDialled('/ip4/192.168.1.1/tcp/80')).toBe(false)
    expect(isDialled('/ip4/192.168.1.1/tcp/443/ws')).toBe(false)
  })

  test.each([
    '/unix/%2Frun%2Fdocker.sock',
    '/ip4/5.0.0.1/tcp/43905/ws/http-path/admin',
    '/ip4/5.0.0.1/tcp/43905/http',
    '/ip4/5.0.0.1/tcp/43905/tls/sni/inside.example/ws',
    '/ip4/5.0.0.1/tcp/43905/wss',
    '/dnsaddr/node.example',
    '/ip6zone/eth0/ip6/fe80::1/tcp/43905',
    '/ip4/5.0.0.1/tcp/0',
  ])('are refused in any form but the plain ones: %s', (address) => {
    expect(isDialled(address)).toBe(false)
  })

  test('are dialled at loopback where that peer was met there, or where this node is in a network of one machine', () => {
    const loopback = '/ip4/127.0.0.1/tcp/43905'
    expect(isDialled(loopback, { wasMetOnLoopback: (peerId) => peerId === PEER })).toBe(true)
    expect(isDialled(loopback, { wasMetOnLoopback: (peerId) => peerId === RELAY })).toBe(false)
    expect(isDialled(loopback, { isLoopbackNetwork: () => true })).toBe(true)
    expect(isDialled('/ip4/127.0.0.1/tcp/631', { isLoopbackNetwork: () => true })).toBe(false)
  })

  test('are dialled in another private network where that peer was met at the same host', () => {
    const wasMetAt = (peerId: string, host: string): boolean => peerId === PEER && host === '10.1.2.3'
    expect(isDialled('/ip4/10.1.2.3/tcp/43905', { wasMetAt })).toBe(true)
    expect(isDialled('/ip4/10.1.2.4/tcp/43905', { wasMetAt })).toBe(false)
  })

  test('are dialled whatever they are where a person named them', () => {
    const isNamed = (key: string): boolean => key === '/ip4/127.0.0.1/tcp/22'
    expect(isDialled('/ip4/127.0.0.1/tcp/22', { isNamed })).toBe(true)
    expect(isDialled('/ip4/127.0.0.1/tcp/23', { isNamed })).toBe(false)
  })
})

describe('an address over a relay', () => {
  const over = (relay: string): string => `${relay}/p2p/${RELAY}/p2p-circuit/p2p/${PEER}`

  test('is judged by where the relay is said to be', () => {
    expect(whyNotDial(over('/ip4/5.0.0.1/tcp/43905'), facts())).toBeUndefined()
    expect(whyNotDial(over('/ip4/127.0.0.1/tcp/43905'), facts())).toBeDefined()
    expect(whyNotDial(over('/ip4/10.9.9.9/tcp/43905/ws'), facts())).toBeDefined()
    expect(whyNotDial(over('/unix/%2Frun%2Fdocker.sock'), facts())).toBeDefined()
  })

  test('takes no dial where the relay is connected, or named by its id alone', () => {
    const isConnected = (peerId: string): boolean => peerId === RELAY
    expect(whyNotDial(over('/ip4/127.0.0.1/tcp/43905'), facts({ isConnected }))).toBeUndefined()
    expect(whyNotDial(`/p2p/${RELAY}/p2p-circuit/p2p/${PEER}`, facts())).toBeUndefined()
  })

  test('counts the relay as the one who was met there', () => {
    const met = (id: string) => facts({ wasMetOnLoopback: (peerId) => peerId === id })
    expect(whyNotDial(over('/ip4/127.0.0.1/tcp/43905'), met(RELAY))).toBeUndefined()
    expect(whyNotDial(over('/ip4/127.0.0.1/tcp/43905'), met(PEER))).toBeDefined()
  })
})

test('no address of a stranger leads to this machine or to a private network it is no part of', () => {
  const octet = fc.integer({ min: 0, max: 255 })
  const ip = fc.oneof(
    fc.tuple(octet, octet, octet, octet).map((parts) => `/ip4/${parts.join('.')}`),
    fc.tuple(octet, octet, octet).map((parts) => `/ip4/127.${parts.join('.')}`),
    fc.tuple(octet, octet, octet).map((parts) => `/ip4/10.${parts.join('.')}`),
    fc.tuple(octet, octet).map((parts) => `/ip6/::ffff:10.0.${parts.join('.')}`),
    fc
      .tuple(octet, octet)
      .map(([a, b]) => `/ip6/0:0:0:0:0:FFFF:7f${a.toString(16).padStart(2, '0')}:${b.toString(16)}`),
    fc.ipV6().map((text) => `/ip6/${text}`),
  )
  const rest = fc.tuple(fc.integer({ min: 0, max: 65_535 }), fc.constantFrom('', '/ws', '/tls/ws', '/http-path/x'))
  fc.assert(
    fc.property(ip, rest, (host, [port, suffix]) => {
      const address = `${host}/tcp/${port}${suffix}`
      if (!isDialled(address)) return
      const found = readDialAddress(address)!
      const [first = 0, second = 0] = found.host.split('.').map(Number)
      expect(suffix === '' || suffix === '/ws').toBe(true)
      expect(port >= 1024 || port === 80 || port === 443).toBe(true)
      if (found.host.includes(':')) {
        expect(found.host).not.toMatch(/^(::1$|f[cdef][0-9a-f]{2}:|.*:ffff:7f)/i)
        return
      }
      expect([0, 10, 127]).not.toContain(first)
      expect(first).toBeLessThan(224)
      expect(first === 172 && second >= 16 && second < 32).toBe(false)
      expect(first === 100 && second >= 64 && second < 128).toBe(false)
    }),
    { numRuns: 500 },
  )
})

test('the network around a private address is as large as that of a site, and a public one has none', () => {
  const contains = (ip: string, other: string): boolean => isWithin(siteAround(ip)!, other)
  expect(contains('10.1.2.3', '10.1.9.9')).toBe(true)
  expect(contains('10.1.2.3', '10.2.0.1')).toBe(false)
  expect(contains('192.168.1.5', '192.168.1.9')).toBe(true)
  expect(contains('192.168.1.5', '192.168.2.9')).toBe(false)
  expect(contains('100.101.1.1', '100.64.9.9')).toBe(true)
  expect(contains('fd00:1:2::1', 'fd00:1:2:9::9')).toBe(true)
  expect(siteAround('5.0.0.1')).toBeUndefined()
  expect(siteAround('169.254.1.1')).toBeUndefined()
})

test('loopback, link-local and empty addresses mean another machine to each reader', () => {
  for (const host of ['127.0.0.1', '::1', '169.254.169.254', 'fe80::1', '0.0.0.0', 'localhost', 'x.localhost'])
    expect([host, isOfOneMachine(host)]).toEqual([host, true])
  for (const host of ['10.1.2.3', '5.0.0.1', 'node.example'])
    expect([host, isOfOneMachine(host)]).toEqual([host, false])
})
