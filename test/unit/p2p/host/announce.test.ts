import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { announceAddresses, parsePublicAddress } from '../../../../src-main/p2p/host/announce.js'

const PORTS = { tcp: 1, ws: 2, udp: 3 }

test.each([
  ['203.0.113.7', { family: 'ip4', host: '203.0.113.7', port: undefined }],
  [' 203.0.113.7:4001 ', { family: 'ip4', host: '203.0.113.7', port: 4001 }],
  ['2001:db8::1', { family: 'ip6', host: '2001:db8::1', port: undefined }],
  ['[2001:db8::1]', { family: 'ip6', host: '2001:db8::1', port: undefined }],
  ['[2001:db8::1]:4001', { family: 'ip6', host: '2001:db8::1', port: 4001 }],
  ['node.example.org', { family: 'dns', host: 'node.example.org', port: undefined }],
  ['node-1.example.org:443', { family: 'dns', host: 'node-1.example.org', port: 443 }],
])('%s is read', (text, address) => {
  expect(parsePublicAddress(text)).toEqual(address)
})

test.each([
  '',
  ' ',
  '1.2.3',
  '256.1.1.1',
  '1.2.3.4:0',
  '1.2.3.4:65536',
  '1.2.3.4:x',
  '[1.2.3.4]:5',
  '[::1',
  '::1]:5',
  'a b',
  'fe80::1%eth0',
  '[fe80::1%25eth0]:4001',
  '0.0.0.0',
  '0.0.0.0:4001',
  '::',
  '[::]:4001',
])('%j is not a public address', (text) => {
  expect(parsePublicAddress(text)).toBeUndefined()
})

test.each(['http://example.org', '/ip4/1.2.3.4/tcp/1', '-a.example', 'exa_mple.org'])(
  '%j is not one either',
  (text) => {
    expect(parsePublicAddress(text)).toBeUndefined()
  },
)

test('without a port, every transport is announced on the port it listens on', () => {
  expect(announceAddresses({ family: 'ip6', host: '2001:db8::1', port: undefined }, PORTS)).toEqual([
    '/ip6/2001:db8::1/tcp/1',
    '/ip6/2001:db8::1/tcp/2/ws',
    '/ip6/2001:db8::1/udp/3/quic-v1',
  ])
})

test('with a port, only TCP on that port is announced', () => {
  expect(announceAddresses({ family: 'ip4', host: '203.0.113.7', port: 9 }, PORTS)).toEqual(['/ip4/203.0.113.7/tcp/9'])
})

test('QUIC is not announced under a name, nor a transport that does not listen', () => {
  const address = { family: 'dns', host: 'example.org', port: undefined } as const
  expect(announceAddresses(address, { ...PORTS, ws: undefined })).toEqual(['/dns/example.org/tcp/1'])
})

test('whatever is read can be announced as valid multiaddrs', () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()).filter((name) => name !== '0.0.0.0' && name !== '::')
  fc.assert(
    fc.property(host, fc.option(fc.integer({ min: 1, max: 65535 })), (name, port) => {
      const text = port === null ? name : `${name.includes(':') ? `[${name}]` : name}:${port}`
      const address = parsePublicAddress(text)
      expect(address).toBeDefined()
      for (const announced of announceAddresses(address!, PORTS)) expect(() => multiaddr(announced)).not.toThrow()
    }),
  )
})
