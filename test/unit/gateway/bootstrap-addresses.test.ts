import { describe, expect, test } from 'vitest'
import { bootstrapAddresses } from '../../../src-main/gateway/bootstrap-addresses.js'

const LOOPBACK = ['/ip4/127.0.0.1/tcp/1/p2p/X', '/ip6/::1/tcp/1/p2p/X']
const PRIVATE = [
  '/ip4/10.1.2.3/tcp/1/p2p/X',
  '/ip4/172.20.0.1/tcp/1/p2p/X',
  '/ip4/192.168.1.4/udp/1/quic-v1/p2p/X',
  '/ip4/169.254.1.1/tcp/1/p2p/X',
  '/ip4/100.64.0.1/tcp/1/p2p/X',
  '/ip6/fd00::1/tcp/1/p2p/X',
  '/ip6/fe80::1/tcp/1/p2p/X',
]
const PUBLIC = ['/ip4/8.8.8.8/tcp/1/p2p/X', '/ip6/2001:4860::1/tcp/1/p2p/X', '/dns4/ocf.example/tcp/1/p2p/X']
const ALL = [...LOOPBACK, ...PRIVATE, ...PUBLIC]

describe('the addresses told to a caller', () => {
  test.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('on this machine (%s) are all', (caller) => {
    expect(bootstrapAddresses(ALL, caller)).toEqual(ALL)
  })

  test.each(['192.168.9.9', '10.0.0.1', 'fd12::2', '::ffff:172.16.0.9', '100.127.0.1'])(
    'in a private network (%s) leave loopback out',
    (caller) => expect(bootstrapAddresses(ALL, caller)).toEqual([...PRIVATE, ...PUBLIC]),
  )

  test.each(['8.8.4.4', '2001:db8::1', '172.32.0.1', '100.128.0.1', undefined])(
    'far away (%s) are public',
    (caller) => {
      expect(bootstrapAddresses(ALL, caller)).toEqual(PUBLIC)
    },
  )
})
