import type { Connection } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { bestConnection, compareForDial, type DialFacts } from '../../../../src-main/p2p/dial/dial-order.js'

const RELAY = '/ip4/5.0.0.9/tcp/1/p2p/12D3KooWDG6KQHGgqSKbkKZH5xvz9iwm2qyNtFv1u87QCuDCUDiM/p2p-circuit'
const facts = (over: Partial<DialFacts> = {}): DialFacts => ({
  isNear: (host) => host.startsWith('192.168.1.') || host === '127.0.0.1',
  failedLately: () => false,
  ...over,
})
const ordered = (addresses: string[], over: Partial<DialFacts> = {}): string[] =>
  addresses.toSorted((a, b) => compareForDial(a, b, facts(over)))

test('near addresses come first, then public TCP, then relays, then the rest', () => {
  const best = [
    '/ip4/192.168.1.7/tcp/1',
    '/ip4/192.168.1.7/udp/1/quic-v1',
    '/ip4/5.0.0.1/tcp/1',
    RELAY,
    '/ip4/5.0.0.1/udp/1/quic-v1',
    '/ip4/5.0.0.1/tcp/2/ws',
    '/ip4/10.9.9.9/tcp/1',
    '/ip4/127.0.0.1/tcp/1',
  ]
  expect(ordered(best.toReversed())).toEqual(best)
})

test('an address that failed lately is tried after the relays', () => {
  const failedLately = (address: string): boolean => address === '/ip4/5.0.0.1/tcp/1'
  expect(ordered(['/ip4/5.0.0.1/tcp/1', RELAY], { failedLately })).toEqual([RELAY, '/ip4/5.0.0.1/tcp/1'])
})

test('of open connections a direct one is used before a relayed one, and of equals the oldest', () => {
  const connection = (remoteAddr: string, status = 'open') => ({ remoteAddr, status }) as unknown as Connection
  const relayed = connection(RELAY)
  const closing = connection('/ip4/5.0.0.1/tcp/1', 'closing')
  const [older, newer] = [connection('/ip4/5.0.0.1/tcp/2/ws'), connection('/ip4/5.0.0.1/udp/3/quic-v1')]
  expect(bestConnection([relayed, closing, older, newer])).toBe(older)
  expect(bestConnection([closing, relayed])).toBe(relayed)
  expect(bestConnection([closing])).toBeUndefined()
})
