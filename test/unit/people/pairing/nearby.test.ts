import { expect, test } from 'vitest'
import type { Host, PeerConnection } from '../../../../src-main/p2p/index.js'
import type { LanPeer } from '../../../../src-main/p2p/reach/lan-peers.js'
import { NearbyPeers } from '../../../../src-main/people/pairing/nearby.js'

const SELF = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const ANN = '12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba'
const BOB = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'

function nearby(facts: { connections?: [peerId: string, multiaddr: string][]; told?: LanPeer[] }): NearbyPeers {
  const host = {
    peerId: SELF,
    lan: {
      isNear: (ip: string) => ip.startsWith('192.168.7.'),
      peers: () => facts.told ?? [],
      onChanged: () => () => 0,
    },
    connections: () =>
      (facts.connections ?? []).map(
        ([peerId, multiaddr]) => ({ peerId, multiaddr, openedAtMs: 1_000 }) as PeerConnection,
      ),
  } as unknown as Host
  const store = { isTrusted: (peerId: string) => peerId === ANN, onTrustChanged: () => () => undefined }
  return new NearbyPeers({ host, store, nameOf: (peerId) => (peerId === ANN ? 'Ann' : undefined) })
}

const told = (peerId: string, ip: string): LanPeer => {
  return { peerId, addresses: [`/ip4/${ip}/tcp/43905/p2p/${peerId}`], sinceMs: 500 }
}

test('a node is nearby that multicast told of, or that is connected straight from a network of this machine', () => {
  const list = nearby({
    told: [told(BOB, '192.168.7.3')],
    connections: [[ANN, '/ip4/192.168.7.2/udp/1/quic-v1']],
  }).list()
  expect(list).toEqual([
    { peerId: BOB, name: null, address: '192.168.7.3', sinceMs: 500, connected: false, trusted: false },
    { peerId: ANN, name: 'Ann', address: '192.168.7.2', sinceMs: 1_000, connected: true, trusted: true },
  ])
})

test('a node is not nearby that is connected from elsewhere or over a relay, nor is this node itself', () => {
  const relayed = `/ip4/192.168.7.9/tcp/1/p2p/${BOB}/p2p-circuit/p2p/${ANN}`
  const connections: [string, string][] = [
    [ANN, relayed],
    [BOB, '/ip4/203.0.113.7/tcp/43905'],
  ]
  expect(nearby({ connections, told: [told(SELF, '192.168.7.1')] }).list()).toEqual([])
  expect(nearby({ connections: [[BOB, '/ip6/::ffff:192.168.7.4/tcp/1']] }).list()).toMatchObject([
    { address: '192.168.7.4' },
  ])
})
