import { expect, test } from 'vitest'
import { listenAddresses, listenError, takenAddress } from '../../../src-main/p2p/host/listen-addresses.js'

const addresses = listenAddresses(['127.0.0.1', '::1'], { tcpPort: 1001, wsPort: 1002, udpPort: 1003 })

test('every host listens over every transport', () => {
  expect(addresses.map(({ multiaddr, setting }) => [multiaddr, setting])).toEqual([
    ['/ip4/127.0.0.1/tcp/1001', 'tcpport'],
    ['/ip4/127.0.0.1/tcp/1002/ws', 'wsport'],
    ['/ip4/127.0.0.1/udp/1003/quic-v1', 'udpport'],
    ['/ip6/::1/tcp/1001', 'tcpport'],
    ['/ip6/::1/tcp/1002/ws', 'wsport'],
    ['/ip6/::1/udp/1003/quic-v1', 'udpport'],
  ])
})

const failed = (...parts: string[]): Error => new Error(`Some configured addresses failed:\n${parts.join('\n')}`)

test('the address that is in use is the one that is told, not another that failed', () => {
  const { message } = failed(
    '\n  /ip4/127.0.0.1/tcp/1002/ws: Error: listen EACCES: permission denied 127.0.0.1:1002\n',
    '\n  /ip6/::1/udp/1003/quic-v1: Error: Address already in use (os error 98)\n',
  )
  expect(takenAddress(message, addresses)?.multiaddr).toBe('/ip6/::1/udp/1003/quic-v1')
})

test('any other failure is passed on as it is', async () => {
  const error = failed('\n  /ip4/127.0.0.1/tcp/1001: Error: listen EACCES: permission denied\n')
  expect(await listenError(error, addresses)).toBe(error)
  expect(await listenError('odd', addresses)).toBe('odd')
})
