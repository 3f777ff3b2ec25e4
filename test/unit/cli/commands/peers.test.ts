import { expect, test } from 'vitest'
import type { PeerView } from '#shared/contract/network/peers.js'
import { EXIT } from '../../../../src-main/cli/io.js'
import { cli } from '../cli-fixture.js'

const peer: PeerView = {
  peerId: '12D3KooWQwertyuiopPeer77',
  connected: true,
  standing: 'proven',
  paths: ['direct-tcp'],
  multiaddrs: [],
  direction: 'outbound',
  connectedAtMs: Date.now() - 2 * 3_600_000,
  offers: ['llm:model=a', 'llm:model=b', 'llm:model=c', 'llm:model=d'],
  version: '0.1.0',
  rttMs: 12.4,
}

test('ocf peers lists connected peers first', async () => {
  const far = {
    ...peer,
    peerId: 'far',
    connected: false,
    paths: [],
    connectedAtMs: null,
    rttMs: undefined,
    offers: [],
  }
  const people = [{ peerId: peer.peerId, label: 'Ann' }]
  const { run, output } = cli({ answers: { 'peers.list': [far, peer], 'people.list': people } })
  expect(await run('peers')).toBe(EXIT.ok)
  expect(
    output()
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ['NAME', 'ID', 'PATH', 'RTT', 'SINCE', 'OFFERS'],
    ['Ann', '…Peer77', 'direct over TCP', '12 ms', '2 h', 'a, b, c and 1 more'],
    ['', 'far', 'not connected'],
    [''],
  ])
})

test('ocf peers says of a peer that was never met that it may not be there', async () => {
  const far: PeerView = { ...peer, connected: false, paths: [], connectedAtMs: null }
  const peers = [
    { ...far, peerId: 'forged', standing: 'unproven' },
    { ...far, peerId: 'paused', standing: 'away' },
  ]
  const { run, output } = cli({ answers: { 'peers.list': peers } })
  await run('peers')
  expect(output()).toMatch(/forged +not connected, unproven/)
  expect(output()).toMatch(/paused +not connected, away/)
})

test('ocf peers escapes control characters that peers send', async () => {
  const { run, output } = cli({ answers: { 'peers.list': [{ ...peer, offers: ['\u001b[2J\nx'] }] } })
  await run('peers')
  expect(output()).toContain('\\u001b[2J\\u000ax')
  expect(output()).not.toContain('\u001b')
})
