import { expect, test } from 'vitest'
import { worthAnnouncing } from '../../../src-main/p2p/host/announce.js'

const RELAY = '12D3KooWDG6KQHGgqSKbkKZH5xvz9iwm2qyNtFv1u87QCuDCUDiM'
const circuit = (address: string): string => `${address}/p2p/${RELAY}/p2p-circuit`
const told = (addresses: string[]): string[] => worthAnnouncing(addresses, String)

test('link-local addresses are not told', () => {
  expect(told(['/ip6/fe80::1/tcp/1', '/ip6/2001:db8::1/tcp/1'])).toEqual(['/ip6/2001:db8::1/tcp/1'])
})

test('of the circuits over a relay the farthest-reaching two are told, after the direct addresses', () => {
  const all = [
    circuit('/ip4/127.0.0.1/tcp/1'),
    circuit('/ip4/5.0.0.1/udp/1/quic-v1'),
    circuit('/ip4/5.0.0.1/tcp/1'),
    circuit('/ip4/192.168.1.1/tcp/1'),
    '/ip4/192.168.2.1/tcp/1',
  ]
  expect(told(all)).toEqual([
    '/ip4/192.168.2.1/tcp/1',
    circuit('/ip4/5.0.0.1/tcp/1'),
    circuit('/ip4/5.0.0.1/udp/1/quic-v1'),
  ])
})
