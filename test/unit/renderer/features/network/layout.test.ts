import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PathKind, PeerView } from '#shared/contract/network/peers.js'
import { layoutNetwork, MAX_PLACED } from '../../../../../src-renderer/features/network/layout.js'

const peer = (peerId: string, paths: PathKind[], relays: string[] = []): PeerView => ({
  peerId,
  connected: paths.length > 0,
  standing: 'proven',
  paths,
  multiaddrs: [],
  relays,
  direction: null,
  connectedAtMs: null,
  offers: [],
  version: '',
})
const SIZE = { width: 1000, height: 360 }
const far = ({ x, y }: { x: number; y: number }): number => Math.hypot(x / 456, y / 146)

test('direct peers stand near, relayed ones further out, unconnected ones at the edge', () => {
  const { peers } = layoutNetwork(
    [peer('known', []), peer('relayed', ['relayed']), peer('near', ['direct-quic'])],
    SIZE,
  )
  const distance = Object.fromEntries(peers.map((one) => [one.peerId, far(one)]))
  expect(distance['near']).toBeLessThan(distance['relayed']!)
  expect(distance['relayed']).toBeLessThan(distance['known']!)
})

test('the line to a relayed peer begins at its relay', () => {
  const { peers, lines } = layoutNetwork([peer('relay', ['direct-tcp']), peer('behind', ['relayed'], ['relay'])], SIZE)
  expect(peers.map(({ isRelay }) => isRelay)).toEqual([true, false])
  const relay = peers.find(({ peerId }) => peerId === 'relay')!
  expect(lines.find(({ key }) => key === 'behind')).toMatchObject({ kind: 'relayed', x1: relay.x, y1: relay.y })
  expect(lines.find(({ key }) => key === 'relay')).toMatchObject({ kind: 'direct', x1: 0, y1: 0 })
})

test('everybody who has room is inside the picture, once, and stays there while the same peers are there', () => {
  const kinds = fc.constantFrom<PathKind[]>([], ['direct-tcp'], ['hole-punched'], ['relayed'])
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), kinds), { selector: ([id]) => id, maxLength: 120 }),
      (all) => {
        const given = all.map(([id, paths]) => peer(id, paths, ['somewhere']))
        const layout = layoutNetwork(given, SIZE)
        expect(layout.peers.length + layout.left).toBe(given.length)
        expect(layout.peers.length).toBeLessThanOrEqual(MAX_PLACED)
        for (const { x, y } of layout.peers) {
          expect(Math.abs(x)).toBeLessThanOrEqual(500)
          expect(Math.abs(y)).toBeLessThanOrEqual(180)
        }
        expect(layoutNetwork(given.toReversed(), SIZE)).toEqual(layout)
      },
    ),
  )
})

test('two hundred peers all have room, mixed or of one kind, and no mark covers another', () => {
  const mixed: PathKind[][] = [[], ['direct-tcp'], ['relayed']]
  for (const [width, kinds] of [
    [1000, mixed],
    [700, mixed],
    [1000, [['direct-tcp']]],
    [800, [['direct-quic']]],
  ] as [number, PathKind[][]][]) {
    const given = Array.from({ length: 200 }, (_, index) =>
      peer(`p${String(index).padStart(3, '0')}`, kinds[index % kinds.length] ?? []),
    )
    const { peers, mark, left } = layoutNetwork(given, { width, height: 360 })
    expect(left).toBe(0)
    const nearest = peers.map((one) =>
      Math.min(...peers.filter((other) => other !== one).map((other) => Math.hypot(one.x - other.x, one.y - other.y))),
    )
    expect(Math.min(...nearest), `at ${width}`).toBeGreaterThanOrEqual(mark * 1.8)
  }
})

test('beyond two hundred the rest is counted', () => {
  const given = Array.from({ length: 500 }, (_, index) => peer(`p${index}`, ['direct-tcp']))
  const { peers, left } = layoutNetwork(given, SIZE)
  expect(peers.length + left).toBe(500)
  expect(left).toBeGreaterThanOrEqual(300)
})
