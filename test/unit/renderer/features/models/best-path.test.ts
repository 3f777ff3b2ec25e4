import { expect, test } from 'vitest'
import type { ModelView } from '#shared/contract/models/models.js'
import type { PathKind, PeerView } from '#shared/contract/network/peers.js'
import { bestPath, rankOf } from '../../../../../src-renderer/features/models/best-path.js'
import { peersById } from '../../../../../src-renderer/stores/model-use.js'

const peer = (peerId: string, paths: PathKind[], rttMs?: number) => ({ peerId, paths, rttMs }) as PeerView
const model = (local: boolean, ...peerIds: string[]) =>
  ({ local, providers: peerIds.map((peerId) => ({ peerId })) }) as ModelView

test('the best path to a model is this computer, else the best kind of path, else the quickest peer', () => {
  const peers = peersById([
    peer('relayed', ['relayed'], 1),
    peer('slow', ['direct-tcp'], 90),
    peer('quick', ['direct-tcp', 'relayed'], 9),
    peer('away', []),
  ])
  expect(bestPath(model(true, 'slow'), peers)).toEqual({ kind: 'here' })
  expect(bestPath(model(false, 'relayed', 'slow', 'quick', 'away'), peers)).toEqual({
    kind: 'peer',
    path: 'direct-tcp',
    rttMs: 9,
  })
  expect(bestPath(model(false, 'away', 'unknown'), peers)).toEqual({ kind: 'none' })
})

test('a list sorted by path has this computer first and unconnected models last', () => {
  const ranks = [
    { kind: 'here' },
    { kind: 'peer', path: 'direct-quic' },
    { kind: 'peer', path: 'relayed' },
    { kind: 'none' },
  ]
  const numbers = ranks.map((best) => rankOf(best as Parameters<typeof rankOf>[0]))
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  expect(new Set(numbers).size).toBe(4)
})
