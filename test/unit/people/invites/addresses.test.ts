import { describe, expect, test } from 'vitest'
import { inviteAddresses } from '../../../../src-main/people/invites/addresses.js'

const SELF = '12D3KooWGzBZZbLs1hJ2DL4J4yY2YVh9vH2cVYpPZ2UVsWjXGn3K'
const RELAY = '12D3KooWQJ4rgxsW1s87u4t8c5B1L2F8c18oC9u5sV1Lbfej2Q4h'
const of = (...announced: string[]) =>
  inviteAddresses(
    announced.map((address) => `${address}/p2p/${SELF}`),
    SELF,
  )

const LOOPBACK = ['/ip4/127.0.0.1/tcp/43905', '/ip6/::1/tcp/43905']
const LAN = ['/ip4/192.168.1.20/udp/59820/quic-v1', '/ip4/192.168.1.20/tcp/43905', '/ip4/192.168.1.20/tcp/43906/ws']
const PUBLIC = ['/ip6/2001:db8::7/tcp/43905', '/ip4/203.0.113.7/udp/59820/quic-v1', '/ip4/203.0.113.7/tcp/43905']
const CIRCUIT = `/ip4/198.51.100.9/tcp/43905/p2p/${RELAY}/p2p-circuit`

describe('the addresses in an invite', () => {
  test('are of every kind there is, one of each first: public, over a relay, of the local network', () => {
    expect(of(...LOOPBACK, ...LAN, CIRCUIT, ...PUBLIC)).toEqual({
      addresses: [PUBLIC[2], CIRCUIT, LAN[1], PUBLIC[1]],
      reach: 'anywhere',
    })
  })

  test('of a home without a way in say that only the home can use it', () => {
    expect(of(...LOOPBACK, ...LAN)).toEqual({ addresses: [LAN[1], LAN[0], LAN[2]], reach: 'lan' })
  })

  test('never lead to loopback where there is anything else, and do where there is nothing', () => {
    expect(of(...LOOPBACK)).toEqual({ addresses: LOOPBACK, reach: 'machine' })
    expect(of()).toEqual({ addresses: [], reach: 'nowhere' })
  })

  test('are none of a link, with a zone or of a web server with a name of its own', () => {
    expect(of('/ip4/169.254.3.4/tcp/1', '/ip6/fe80::1/tcp/1', '/ip6zone/eth0/ip6/fe80::1/tcp/1').reach).toBe('nowhere')
    expect(of('/dns4/a.example/tcp/443/tls/ws').reach).toBe('nowhere')
  })
})
