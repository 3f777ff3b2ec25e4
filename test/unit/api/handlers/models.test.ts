import { describe, expect, test } from 'vitest'
import { createModelsFeed, listModels } from '../../../../src-main/api/handlers/models.js'
import { ALICE, BOB, createFakeNode, SELF } from '../../../contract/fake-node.js'

describe('models', () => {
  test('are those that the catalog lists, of own servers and of peers', () => {
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
    node.connect(BOB)
    const models = listModels(node.needs)
    expect(models.map((model) => model.id)).toEqual(['a=b', 'far-away', 'llama3.2', 'qwen3:8b'])
    expect(models[2]?.providers).toEqual([
      { peerId: ALICE, self: false, connected: true, trusted: false, visibility: 'everyone', load: null },
      { peerId: BOB, self: false, connected: true, trusted: false, visibility: 'everyone', load: null },
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
    node.serve({ id: 'demo', published: false, visibility: 'me', identityGroups: ['model=demo'] })
    expect(listModels(node.needs)).toMatchObject([{ id: 'demo', local: true, shared: false, visibility: 'me' }])
  })

  test('say who may use them here and at each provider, and which of those the person trusts', () => {
    const node = createFakeNode()
    const identityGroups = ['model=a']
    node.serve({ id: 'one', identityGroups, visibility: 'me' })
    node.serve({ id: 'two', identityGroups, visibility: 'me', visibilities: new Map([['a', 'trusted']]) })
    node.offer(ALICE, 'llm', ['model=a'])
    node.offer(BOB, 'llm', ['model=a'])
    const models = {
      ...node.needs.models,
      list: () => node.needs.models.list().map((model) => ({ ...model, inTrust: new Set([ALICE]) })),
    }
    const [model] = listModels({ ...node.needs, models, isTrusted: (peerId) => peerId === ALICE })
    expect(model).toMatchObject({ visibility: 'trusted', shared: true })
    expect(model?.providers.map(({ trusted, visibility }) => [trusted, visibility])).toEqual([
      [true, 'trusted'],
      [true, 'trusted'],
      [false, 'everyone'],
    ])
  })
})

test('the files of providers can be compared: of each the first digits of its digest', () => {
  const node = createFakeNode()
  node.serve({ id: 'own', identityGroups: ['model=a'] })
  node.offer(ALICE, 'llm', ['model=a'])
  node.offer(BOB, 'llm', ['model=a'])
  const digests = new Map([
    [SELF, `sha256:${'0123456789abcdef'.repeat(4)}`],
    [ALICE, '0123456789abcdef'],
  ])
  const facts = (_id: string, peerId: string) => ({ digest: digests.get(peerId) })
  const [model] = listModels({ ...node.needs, models: { ...node.needs.models, facts } })
  expect(model?.providers.map(({ digest }) => digest)).toEqual(['0123456789abcdef', '0123456789abcdef', undefined])
})

test('the models feed hears of every change of what can be routed to', () => {
  const node = createFakeNode()
  const listeners = new Set<() => void>()
  const models = {
    list: () => [],
    facts: () => undefined,
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  let changes = 0
  const stop = createModelsFeed({ ...node.needs, models }).subscribe(() => (changes += 1))
  for (const listener of listeners) listener()
  expect(changes).toBe(1)
  stop()
  expect(listeners.size).toBe(0)
})

test('how busy a provider is comes from what it said itself, and for this node from its slots', () => {
  const node = createFakeNode()
  node.serve({ id: 'llm@127.0.0.1:11434', identityGroups: ['model=mine'] })
  node.offer(ALICE, 'llm', ['model=theirs'])
  node.connect(ALICE)
  const answer = { slotsTotal: 4, slotsFree: 1, queueLength: 3, paused: 'because', offers: '', version: '', timeMs: 0 }
  node.needs.table.status.peek = (peerId) => (peerId === ALICE ? answer : undefined)
  const [mine, theirs] = listModels(node.needs)
  expect(mine?.providers[0]?.load).toEqual({ slotsTotal: 4, slotsFree: 3, queueLength: 1, paused: false })
  expect(theirs?.providers[0]?.load).toEqual({ slotsTotal: 4, slotsFree: 1, queueLength: 3, paused: true })
})

test('providers are asked how busy they are while somebody looks at the models', () => {
  const node = createFakeNode()
  node.offer(ALICE, 'llm', ['model=theirs'])
  node.offer(BOB, 'llm', ['model=theirs'])
  node.connect(ALICE)
  const asked: string[] = []
  node.needs.table.status.get = (peerId) => void asked.push(peerId)
  createModelsFeed(node.needs).subscribe(() => undefined)()
  expect(asked).toEqual([ALICE])
})
