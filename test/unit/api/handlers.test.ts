import { describe, expect, test } from 'vitest'
import { listModels } from '../../../src-main/api/handlers/models.js'
import { stateKind } from '../../../src-main/api/handlers/status.js'
import { ALICE, BOB, createFakeNode, SELF } from '../../contract/fake-node.js'

const context = { capabilities: [] }

describe('models', () => {
  test('are those of own servers and of peers the gateway may ask', () => {
    const node = createFakeNode()
    node.serve({
      id: 'llm@127.0.0.1:11434',
      identityGroups: ['model=qwen3:8b', 'model=*', 'all'],
      models: [{ id: 'qwen3:8b', ownedBy: undefined, created: undefined, contextLength: 32768 }],
    })
    node.offer(ALICE, 'llm', ['model=llama3.2', 'model=a=b', 'all', 'model='])
    node.offer(BOB, 'llm', ['model=far-away', 'model=llama3.2'])
    node.offer('carol', 'other', ['model=not-llm'])
    node.connect('carol')
    node.connect(ALICE)
    node.offer('dave', 'llm', ['model=dead', 'model=llama3.2'])
    const models = listModels({ ...node.needs, isRoutable: (peerId) => peerId !== 'dave' })
    expect(models.map((model) => model.id)).toEqual(['a=b', 'far-away', 'llama3.2', 'qwen3:8b'])
    expect(models[2]?.providers).toEqual([
      { peerId: ALICE, self: false, connected: true },
      { peerId: BOB, self: false, connected: false },
    ])
    expect(models[3]).toMatchObject({
      local: true,
      shared: true,
      contextLength: 32768,
      servers: ['llm@127.0.0.1:11434'],
      providers: [{ peerId: SELF, self: true, connected: true }],
    })
  })

  test('of a server that is down or not published are not shared', () => {
    const node = createFakeNode()
    node.serve({ id: 'down', status: 'down', identityGroups: ['model=a'] })
    node.serve({ id: 'demo', published: false, identityGroups: ['model=demo'] })
    expect(listModels(node.needs)).toMatchObject([{ id: 'demo', local: true, shared: false }])
  })
})

describe('peers', () => {
  test('show every connection once per kind, the best first, with who opened the oldest', async () => {
    const node = createFakeNode()
    node.connect(ALICE, 'relayed')
    node.connect(ALICE, 'direct-quic')
    node.offer(BOB, 'llm', ['all'])
    const peers = await node.control.dispatch('peers.list', {}, context)
    expect(peers).toMatchObject([
      { peerId: ALICE, connected: true, paths: ['direct-quic', 'relayed'], direction: 'outbound', offers: [] },
      { peerId: BOB, connected: false, paths: [], direction: null, offers: ['llm:all'], rttMs: 12 },
    ])
  })

  test('do not include this node', async () => {
    const node = createFakeNode()
    node.offer(SELF, 'llm', ['all'])
    await expect(node.control.dispatch('peers.list', {}, context)).resolves.toEqual([])
    await expect(node.control.dispatch('node.status', {}, context)).resolves.toMatchObject({ knownPeers: 0 })
  })
})

test('table rows are those of connected peers unless all are asked for', async () => {
  const node = createFakeNode()
  node.offer(SELF, 'llm', ['all'])
  node.offer(ALICE, 'llm', ['all'])
  const ids = async (input: object) =>
    ((await node.control.dispatch('table.rows', input, context)) as { peerId: string }[]).map((row) => row.peerId)
  expect(await ids({})).toEqual([SELF])
  expect(await ids({ all: true })).toEqual([SELF, ALICE])
})

test.each([
  ['node', 3, 1, 'sharing'],
  ['node', 3, 0, 'connected'],
  ['node', 0, 1, 'alone'],
  ['local', 0, 0, 'alone'],
  ['standalone', 0, 1, 'standalone'],
  ['standalone', 1, 1, 'sharing'],
] as const)('in mode %s with %i peers and %i shared models the state is %s', (mode, peers, shared, kind) => {
  expect(stateKind(mode, peers, shared)).toBe(kind)
})
