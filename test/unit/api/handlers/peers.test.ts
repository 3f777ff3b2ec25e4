import { describe, expect, test } from 'vitest'
import { ALICE, BOB, createFakeNode, SELF } from '../../../contract/fake-node.js'

const context = { capabilities: [] }

describe('peers', () => {
  test('a peer has each kind of path once, the best first, and the direction of its oldest connection', async () => {
    const node = createFakeNode()
    node.connect(ALICE, 'relayed')
    node.connect(ALICE, 'direct-quic')
    node.offer(BOB, 'llm', ['all'])
    const peers = await node.control.dispatch('peers.list', {}, context)
    expect(peers).toMatchObject([
      { peerId: ALICE, connected: true, paths: ['direct-quic', 'relayed'], direction: 'outbound', offers: [] },
      { peerId: BOB, connected: false, paths: [], direction: null, offers: ['llm:all'] },
    ])
    expect((peers as { standing: string }[]).map(({ standing }) => standing)).toEqual(['proven', 'unproven'])
  })

  test('the list of peers leaves this node out', async () => {
    const node = createFakeNode()
    node.offer(SELF, 'llm', ['all'])
    await expect(node.control.dispatch('peers.list', {}, context)).resolves.toEqual([])
    await expect(node.control.dispatch('node.status', {}, context)).resolves.toMatchObject({ knownPeers: 0 })
  })
})
