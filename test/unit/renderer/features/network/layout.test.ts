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
const far = ({ x, y }: { x: number; y: number }): number => Math.hypot(x / 400, y / 190)

test('direct peers stand near, relayed ones further out, unconnected ones at the edge', () => {
  const { peers } = layoutNetwork([peer('known', []), peer('relayed', ['relayed']), peer('near', ['direct-quic'])])
  const distance = Object.fromEntries(peers.map((one) => [one.peerId, far(one)]))
  expect(distance['near']).toBeLessThan(distance['relayed']!)
  expect(distance['relayed']).toBeLessThan(distance['known']!)
})

test('the line to a relayed peer begins at its relay', () => {
  const { peers, lines } = layoutNetwork([peer('relay', ['direct-tcp']), peer('behind', ['relayed'], ['relay'])])
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
        const layout = layoutNetwork(given)
        expect(layout.peers.length + layout.left).toBe(given.length)
        expect(layout.peers.length).toBeLessThanOrEqual(MAX_PLACED)
        for (const { x, y } of layout.peers) {
          expect(Math.abs(x)).toBeLessThanOrEqual(420)
          expect(Math.abs(y)).toBeLessThanOrEqual(210)
        }
        expect(layoutNetwork(given.toReversed())).toEqual(layout)
      },
    ),
  )
})
