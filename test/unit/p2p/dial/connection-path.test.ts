import { expect, test } from 'vitest'
import { pathKind } from '../../../../src-main/p2p/dial/connection-path.js'

const RELAY = '/p2p/12D3KooWEzksHRbD1rRhLWC7v7DZrYEQp9S24jvdLTgomDYpLAjD'

test.each([
  ['/ip4/127.0.0.1/tcp/1', 'direct-tcp'],
  [`/ip4/127.0.0.1/tcp/1${RELAY}`, 'direct-tcp'],
  ['/ip6/::1/tcp/1/ws', 'direct-ws'],
  ['/dns/ws.example.org/tcp/443/wss', 'direct-ws'],
  ['/dns/example.org/tcp/443/tls/ws', 'direct-ws'],
  ['/dns/quic.example.org/tcp/443', 'direct-tcp'],
  ['/ip4/127.0.0.1/udp/1/quic-v1', 'direct-quic'],
  [`/ip4/127.0.0.1/tcp/1${RELAY}/p2p-circuit`, 'relayed'],
  [`/ip4/127.0.0.1/udp/1/quic-v1${RELAY}/p2p-circuit${RELAY}`, 'relayed'],
] as const)('a connection to %s is %s', (multiaddr, kind) => {
  expect(pathKind(multiaddr, undefined)).toBe(kind)
})

test('a connection with limits is relayed, whatever its address', () => {
  expect(pathKind('/ip4/127.0.0.1/tcp/1', { bytes: 131072n })).toBe('relayed')
})
