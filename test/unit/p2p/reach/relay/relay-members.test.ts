import { generateKeyPair } from '@libp2p/crypto/keys'
import {
  TypedEventEmitter,
  type IdentifyResult,
  type Libp2pEvents,
  type PeerId,
  type PeerStore,
} from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect, test } from 'vitest'
import { createRelayMembers } from '../../../../../src-main/p2p/reach/relay/relay-members.js'

const peer: PeerId = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

function members({ known, waitMs = 60_000 }: { known?: string[]; waitMs?: number }) {
  const events = new TypedEventEmitter<Libp2pEvents>()
  const peerStore = {
    has: () => Promise.resolve(known !== undefined),
    get: () => Promise.resolve({ protocols: known ?? [] }),
  } as unknown as PeerStore
  const identify = (protocols: string[]): void => {
    events.safeDispatchEvent('peer:identify', { detail: { peerId: peer, protocols } as unknown as IdentifyResult })
  }
  return { members: createRelayMembers({ peerStore, events }, { waitMs }), identify }
}

test('a peer that serves a protocol of this network may be relayed', async () => {
  const { members: asked } = members({ known: ['/libp2p-http', '/ocf/lan/kad/1.0.0'] })
  expect(await asked.has(peer)).toBe(true)
})

test('a peer that asks a relay before it has said what it speaks is waited for', async () => {
  const { members: asked, identify } = members({})
  const [first, second] = [asked.has(peer), asked.has(peer)]
  await Promise.resolve()
  setImmediate(() => identify(['/ocf/kad/1.0.0']))
  expect(await Promise.all([first, second])).toEqual([true, true])
})

test('a peer that says it speaks other protocols only is not relayed', async () => {
  const { members: asked, identify } = members({ known: [] })
  const answer = asked.has(peer)
  setImmediate(() => identify(['/evil/1', '/ipfs/id/1.0.0']))
  expect(await answer).toBe(false)
})

test('a peer that never says what it speaks is not relayed', async () => {
  const { members: asked } = members({ waitMs: 1 })
  expect(await asked.has(peer)).toBe(false)
})
