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
  const error = failed('\n  /ip4/127.0.0.1/tcp/1001: Error: listen EIO: the cable is broken\n')
  expect(await listenError(error, addresses)).toBe(error)
  expect(await listenError('odd', addresses)).toBe('odd')
})

test('a port that this user may not have names its setting', async () => {
  const error = failed('\n  /ip4/127.0.0.1/tcp/1002/ws: Error: listen EACCES: permission denied 127.0.0.1:1002\n')
  expect(await listenError(error, addresses)).toMatchObject({
    code: 'port_not_permitted',
    param: 'wsport',
    message: 'The system does not let this user listen on port 1002. Choose one from 1024 up with --wsport.',
  })
})

test('a peer listener’s address that this machine does not have names p2p-host', async () => {
  const error = failed('\n  /ip6/::1/udp/1003/quic-v1: Error: Cannot assign requested address (os error 99)\n')
  expect(await listenError(error, addresses)).toMatchObject({
    code: 'address_not_available',
    param: 'p2p-host',
    message: 'This machine has no address ::1. Give one of its own with --p2p-host, or leave it out.',
  })
})
