import { expect, test } from 'vitest'
import { addressGroup } from '../../../../src-main/p2p/dial/ip-scope.js'
import { requestSource } from '../../../../src-main/p2p/http/request-source.js'

const RELAY = '12D3KooWGRUFBDQB7ZCJ4QG1YQv5kDTJwZ3T1Xg6QBMsbLHwoVxR'

test.each([
  ['an IPv4 /24', '/ip4/203.0.113.7/tcp/9', '203.0.113.0/24'],
  ['an IPv4 /24 over QUIC', '/ip4/203.0.113.250/udp/9/quic-v1', '203.0.113.0/24'],
  ['an IPv4 address that is written as IPv6', '/ip6/::ffff:203.0.113.7/tcp/9/ws', '203.0.113.0/24'],
  ['an IPv6 /48', '/ip6/2001:db8:1:2:3:4:5:6/tcp/9', '2001:db8:1::/48'],
  ['an IPv6 /48 with zeros left out', '/ip6/2001:DB8:0001::9/tcp/9', '2001:db8:1::/48'],
  ['one address of this machine', '/ip4/127.0.0.66/tcp/9', '127.0.0.66'],
  ['the IPv6 loopback', '/ip6/::1/tcp/9', '::1'],
  ['a relay, whatever its address', `/ip4/203.0.113.7/tcp/9/p2p/${RELAY}/p2p-circuit/p2p/${RELAY}`, `relay ${RELAY}`],
  ['a name', '/dns4/example.org/tcp/9', 'example.org'],
])('the source of requests is %s', (_what, multiaddr, group) => {
  expect(addressGroup(multiaddr)).toBe(group)
})

test('a request that came over no stream of a peer has no source', () => {
  expect(requestSource({ socket: {} as never })).toBe('')
})
