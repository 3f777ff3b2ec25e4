import { expect, test } from 'vitest'
import { dialTargets } from '../../../../src-main/p2p/bootstrap/dial-targets.js'

const ME = '12D3KooWEzksHRbD1rRhLWC7v7DZrYEQp9S24jvdLTgomDYpLAjD'
const PEER = '12D3KooWDjJGJjudD73hd1VSdCfcX5TbBeQ7DaemU4bFiZqykfZD'
const RELAY = '12D3KooWKCprzhsaoqmcBDjGdnbQPrNbXp7cvTJ9ntFCsYbkV7nu'
const self = { peerId: ME, multiaddrs: [`/ip4/127.0.0.1/tcp/43905/p2p/${ME}`] }
const targets = (...addresses: string[]) =>
  dialTargets(addresses, self).map(({ peerId, addresses: list }) => [peerId, list.map(String)])

test('the addresses of a peer are dialled together, peers in the order they appear', () => {
  const tcp = `/ip4/10.0.0.1/tcp/1/p2p/${PEER}`
  const quic = `/ip4/10.0.0.1/udp/1/quic-v1/p2p/${PEER}`
  const relay = `/ip4/10.0.0.2/tcp/1/p2p/${RELAY}`
  expect(targets(tcp, relay, quic)).toEqual([
    [PEER, [tcp, quic]],
    [RELAY, [relay]],
  ])
})

test('a relayed address belongs to the peer behind the relay', () => {
  const address = `/ip4/10.0.0.2/tcp/1/p2p/${RELAY}/p2p-circuit/p2p/${PEER}`
  expect(targets(address)).toEqual([[PEER, [address]]])
})

test('addresses without a peer id are each a target of their own', () => {
  expect(targets('/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.1/tcp/2')).toEqual([
    [undefined, ['/ip4/10.0.0.1/tcp/1']],
    [undefined, ['/ip4/10.0.0.1/tcp/2']],
  ])
})

test('this node is left out, by its peer id and by where it listens', () => {
  expect(targets(`/ip4/10.9.9.9/tcp/1/p2p/${ME}`, '/ip4/127.0.0.1/tcp/43905')).toEqual([])
})

test('a peer with very many addresses is dialled at the first sixteen', () => {
  const many = Array.from({ length: 40 }, (_, index) => `/ip4/10.0.0.${index}/tcp/1/p2p/${PEER}`)
  expect(dialTargets(many, self)[0]!.addresses).toHaveLength(16)
})
