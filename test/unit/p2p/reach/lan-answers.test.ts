import { expect, test } from 'vitest'
import { LanAnswers, type MdnsPacket } from '../../../../src-main/p2p/reach/lan-answers.js'

const PEER = '12D3KooWDG6KQHGgqSKbkKZH5xvz9iwm2qyNtFv1u87QCuDCUDiM'
const OTHER = '12D3KooWGRUFBDQB7ZCJ4QG1YQv5kDTJwZ3T1Xg6QBMsbLHwoVxR'
const SENDER = '192.168.1.7'

function answers() {
  const clock = { ms: 0, elapsedMs: () => clock.ms }
  const networkOf = (host: string): string | undefined =>
    ['192.168.1.', '10.5.0.'].find((network) => host.startsWith(network))
  const heard = new LanAnswers({ networkOf, clock })
  const believed = (addresses: string[], sender = SENDER): string[] =>
    (heard.believed(packet(addresses), sender)?.answers ?? [])
      .filter(({ type }) => type === 'TXT')
      .flatMap(({ data }) => data as Buffer[])
      .map((text) => text.toString().replace('dnsaddr=', ''))
  return { clock, believed }
}

/** As a node of this network answers; its addresses are in records of their own. */
const packet = (addresses: string[]): MdnsPacket => ({
  answers: [
    { name: '_ocf._udp.local', type: 'PTR', data: 'x._ocf._udp.local' },
    ...addresses.map((text) => ({ name: 'x', type: 'TXT', data: [Buffer.from(`dnsaddr=${text}`)] })),
  ],
  additionals: [],
})
const at = (address: string, peerId = PEER): string => `${address}/p2p/${peerId}`

test('of what a machine of the local network says only addresses in its own network are believed', () => {
  const good = [at('/ip4/192.168.1.7/tcp/43905'), at('/ip4/192.168.1.8/udp/59820/quic-v1')]
  const bad = [
    at('/ip4/203.0.113.9/tcp/2200'),
    at('/ip4/127.0.0.1/tcp/8092'),
    at('/ip4/10.5.0.1/tcp/43905'),
    at('/dns4/victim.example/tcp/43905'),
    '/unix/%2Frun%2Fdocker.sock',
    '/ip4/192.168.1.7/tcp/43905',
    'no address',
  ]
  expect(answers().believed([...bad, ...good])).toEqual(good)
  expect(answers().believed(bad)).toEqual([])
})

test('of a packet from outside of this machine’s networks nothing is believed', () => {
  expect(answers().believed([at('/ip4/192.168.1.7/tcp/43905')], '203.0.113.9')).toEqual([])
})

test('an answer is one peer’s, with sixteen addresses at most', () => {
  const many = Array.from({ length: 100 }, (_, index) => at(`/ip4/192.168.1.7/tcp/${2_000 + index}`))
  expect(answers().believed([...many, at('/ip4/192.168.1.7/tcp/43905', OTHER)])).toEqual(many.slice(0, 16))
})

test('one machine tells of five new peers at once and one more a minute, and of those it told again as often as it likes', () => {
  const { clock, believed } = answers()
  const tell = (peer: number): boolean => believed([`/ip4/192.168.1.7/tcp/43905/p2p/peer${peer}`]).length > 0
  const told = (from: number): number =>
    Array.from({ length: 500 }, (_, index) => tell(from + index)).filter(Boolean).length
  expect(told(0)).toBe(5)
  clock.ms += 60_000
  expect(told(1_000)).toBe(1)
  expect([tell(0), tell(1), tell(1)]).toEqual([true, true, true])
})

test('all machines together tell of a hundred new peers at once', () => {
  const { believed } = answers()
  const told = Array.from({ length: 2_000 }, (_, index) => {
    const sender = `10.5.0.${index % 200}`
    return believed([`/ip4/${sender}/tcp/43905/p2p/peer${index}`], sender)
  })
  expect(told.filter((addresses) => addresses.length > 0)).toHaveLength(100)
})
