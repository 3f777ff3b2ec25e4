import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { followState, type FeedObserver } from '#shared/contract/client.js'
import { CALLS, FEEDS, type CallInput, type CallName, type FeedName } from '#shared/contract/index.js'
import { AppError } from '#shared/errors.js'
import { eventually } from '../fixtures/eventually.js'
import { ALICE, createFakeNode, SELF, type FakeNode } from './fake-node.js'
import { FRIEND, NEIGHBOUR } from './fake-people.js'
import { TRANSPORTS, type Connected } from './transports.js'

/** One valid input for each call: a new call does not compile until it stands here. */
const VALID: { [N in CallName]: CallInput<N> } = {
  'app.preferences': {},
  'app.setPreference': { name: 'notifications', value: false },
  'app.update': {},
  'app.checkForUpdates': {},
  'app.downloadUpdate': {},
  'app.installUpdate': {},
  'node.status': {},
  'node.capabilities': {},
  'peers.list': {},
  'bootstrap.list': {},
  'table.rows': { all: true },
  'models.list': {},
  'services.list': {},
  'settings.list': {},
  'settings.set': { name: 'port', value: '9000' },
  'keys.list': {},
  'keys.add': { name: 'phone' },
  'keys.revoke': { key: 'phone' },
  'keys.own': {},
  'chats.load': {},
  'chats.save': { conversations: [{ id: 'a-1', text: '{}' }] },
  'chats.forget': {},
  'logs.recent': { lines: 10 },
  'traffic.recent': { limit: 10 },
  'traffic.history': { range: '5m' },
  'detection.list': {},
  'detection.scan': {},
  'detection.type-in': { port: 11434 },
  'detection.forget': { address: '127.0.0.1:11434' },
  'shares.list': {},
  'shares.add': { port: 11434, models: ['llama3.2:latest'], aliases: [{ name: 'l', model: 'llama3.2:latest' }] },
  'shares.setVisibility': { id: 'llm@127.0.0.1:11434', model: 'llama3.2:latest', visibility: 'trusted' },
  'disk.get': {},
  'disk.scan': {},
  'disk.cancel': {},
  'engine.get': {},
  'engine.install': { backend: 'cpu' },
  'engine.cancelInstall': {},
  'engine.remove': {},
  'engine.serve': { model: 'tiny', visibility: 'trusted' },
  'engine.unserve': { id: 'abc' },
  'engine.measure': { id: 'abc' },
  'shares.remove': { id: 'llm@127.0.0.1:11434' },
  'pause.get': {},
  'pause.set': { forMs: 900_000, cutAfterMs: 0 },
  'pause.resume': {},
  'limits.get': {},
  'limits.set': { concurrent: 2, blockedPeers: [] },
  'ledger.summary': {},
  'ledger.rows': { days: 7 },
  'ledger.export': { format: 'csv' },
  'test.run': { model: 'llama3.2' },
  'identity.get': {},
  'identity.backup': { passphrase: 'correct horse' },
  'identity.inspect': { text: '{}' },
  'identity.restore': { text: '{}', passphrase: 'correct horse' },
  'people.list': {},
  'people.trust': { peer: FRIEND, name: 'Ann' },
  'people.untrust': { peer: FRIEND },
  'people.rename': { peer: FRIEND, name: 'Ann' },
  'people.export': {},
  'people.ownName': {},
  'people.setOwnName': { name: null },
  'people.invite': { name: 'Tom', uses: 2, forMs: 3_600_000 },
  'people.invites': {},
  'people.revokeInvite': { id: 'a1b2c3d4' },
  'people.readInvite': { text: 'ocf1' },
  'people.join': { text: 'ocf1' },
  'people.nearby': {},
  'people.pair': { peer: NEIGHBOUR },
  'people.pairings': {},
  'people.confirmPairing': { peer: NEIGHBOUR, code: '123 456' },
  'people.refusePairing': { peer: NEIGHBOUR },
  'network.get': {},
  'network.join': { text: '192.0.2.7' },
  'network.create': { name: 'lab' },
  'network.key': {},
  'network.leave': { what: '192.0.2.7' },
  'node.gpus': {},
  'node.restart': {},
  'node.stop': {},
  'doctor.run': {},
  'doctor.peer': { peerId: ALICE },
}

const HOSTILE: readonly unknown[] = [
  null,
  [],
  'text',
  42,
  { unexpected: true },
  JSON.parse('{"__proto__": {"polluted": true}, "unexpected": 1}'),
  { name: 'x'.repeat(100_000), value: 'y', lines: -1, limit: 1e9, all: 'yes' },
]

const CALL_NAMES = Object.keys(CALLS) as CallName[]
const FEED_NAMES = Object.keys(FEEDS) as FeedName[]

function furnish(node: FakeNode): void {
  node.connect(ALICE)
  node.offer(ALICE, 'llm', ['model=llama3.2', 'all'])
  node.serve({ id: 'llm@127.0.0.1:11434', identityGroups: ['model=qwen3:8b'] })
  node.writeLog('something happened')
  node.traffic.begin({ id: 'r1', direction: 'out', service: 'llm', method: 'POST', route: '/v1/chat/completions' })
}

describe.each(TRANSPORTS)('the contract over $name', (transport) => {
  let node: FakeNode
  let connected: Connected

  beforeEach(async () => {
    node = createFakeNode()
    furnish(node)
    connected = await transport.connect(node)
  })
  afterEach(async () => {
    await connected.close()
    node.control.feeds.stop()
    expect(node.errors).toEqual([])
  })

  test.each(CALL_NAMES)('%s answers valid input with what it promises', async (name) => {
    const output = await connected.client.call(name, VALID[name])
    expect(CALLS[name].output.parse(output)).toEqual(output)
  })

  test('all chats that may be kept go in one call, and other calls take no more than before', async () => {
    let bytes = 0
    node.needs.chats.save = (conversations) => {
      bytes = conversations.reduce((sum, { text }) => sum + text.length, 0)
      return Promise.resolve({ dropped: [] })
    }
    const conversations = Array.from({ length: 31 }, (_, i) => ({ id: `a-${i}`, text: 'x'.repeat(1024 * 1024) }))
    await connected.client.call('chats.save', { conversations })
    expect(bytes).toBe(31 * 1024 * 1024)
    const peer = 'x'.repeat(2 * 1024 * 1024)
    await expect(connected.client.call('people.untrust', { peer })).rejects.toBeInstanceOf(AppError)
  })

  test.each(CALL_NAMES)('%s refuses hostile input', async (name) => {
    for (const input of HOSTILE) {
      await expect(
        connected.client.call(name, input as never),
        JSON.stringify(input).slice(0, 80),
      ).rejects.toMatchObject({
        code: 'invalid_request',
      })
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test.each(['nothing.here', '__proto__', 'constructor', '', '../node.status', 'node.status/'])(
    'a call named %j does not exist',
    async (name) => {
      await expect(connected.client.call(name as CallName, {})).rejects.toMatchObject({ code: 'not_found' })
    },
  )

  test('a refusal names the field at fault', async () => {
    await expect(connected.client.call('logs.recent', { lines: 0 })).rejects.toMatchObject({ param: 'lines' })
  })

  test.each(FEED_NAMES)('the feed %s begins with a valid snapshot', async (feed) => {
    const onSnapshot = vi.fn()
    const stop = connected.client.follow(feed, { onSnapshot, onDelta: () => undefined })
    await eventually(() => expect(onSnapshot).toHaveBeenCalledOnce())
    expect(FEEDS[feed].snapshot.parse(onSnapshot.mock.calls[0]![0])).toEqual(onSnapshot.mock.calls[0]![0])
    stop()
  })

  test('a change arrives as a delta, and the removal of what it added as well', async () => {
    const states: string[][] = []
    const stop = followState(connected.client, 'peers', { onState: (peers) => states.push(peers.map((p) => p.peerId)) })
    await eventually(() => expect(states).toEqual([[ALICE]]))
    node.connect('bob')
    await eventually(() => expect(states.at(-1)).toEqual([ALICE, 'bob']))
    node.disconnect('bob')
    await eventually(() => expect(states.at(-1)).toEqual([ALICE]))
    stop()
  })

  test('what the doctor finds arrives as it changes, and the status names the same cause', async () => {
    const { check, sentence } = { check: 'peers', sentence: 'no bootstrap source answers' }
    const found: string[][] = []
    const causes: unknown[] = []
    const stops = [
      followState(connected.client, 'doctor', {
        onState: ({ checks }) => found.push(checks.map(({ state }) => state)),
      }),
      followState(connected.client, 'status', { onState: ({ state }) => causes.push(state.cause) }),
    ]
    await eventually(() => expect([found, causes]).toEqual([[['ok']], [undefined]]))
    node.find([{ id: check, state: 'bad', fact: 'No peer.', meaning: 'Alone.', fix: 'Ask.', brief: sentence }])
    await eventually(() => expect([found.at(-1), causes.at(-1)]).toEqual([['bad'], { check, sentence }]))
    node.find([])
    await eventually(() => expect([found.at(-1), causes.at(-1)]).toEqual([[], undefined]))
    for (const stop of stops) stop()
  })

  test('many changes in a row arrive as few deltas', async () => {
    const deltas: number[] = []
    const lines: FeedObserver<'logs'> = {
      onSnapshot: () => deltas.push(0),
      onDelta: (delta) => deltas.push(delta.set.length),
    }
    const stop = connected.client.follow('logs', lines)
    await eventually(() => expect(deltas).toEqual([0]))
    for (let i = 0; i < 100; i++) node.writeLog(`line ${i}`)
    await eventually(() => expect(deltas).toEqual([0, 100]))
    stop()
  })

  test('an unfollowed feed is quiet', async () => {
    const onDelta = vi.fn()
    const onSnapshot = vi.fn()
    const other = { onSnapshot: vi.fn(), onDelta: vi.fn() }
    const stop = connected.client.follow('peers', { onSnapshot, onDelta })
    const stopOther = connected.client.follow('status', other)
    await eventually(() => {
      for (const begun of [onSnapshot, other.onSnapshot]) expect(begun).toHaveBeenCalledOnce()
    })
    stop()
    node.connect('bob')
    await eventually(() => expect(other.onDelta).toHaveBeenCalledOnce())
    expect(onDelta).not.toHaveBeenCalled()
    stopOther()
  })

  test('a feed that does not exist is reported as lost', async () => {
    const onLost = vi.fn()
    const stop = connected.client.follow('nothing' as FeedName, { onSnapshot: vi.fn(), onDelta: vi.fn(), onLost })
    await eventually(() => expect(onLost).toHaveBeenCalledWith(expect.objectContaining({ code: 'not_found' })))
    stop()
  })

  test('the status tells who the node is and what it shares', async () => {
    const status = await connected.client.call('node.status', {})
    expect(status).toMatchObject({
      peerId: SELF,
      peers: 1,
      knownPeers: 1,
      models: { available: 2, shared: 1 },
      requestsToday: { in: 0, out: 1, local: 0, unanswered: 0 },
      state: { kind: 'paused', path: 'direct', pause: { sentence: 'you paused it until you resume', untilMs: null } },
    })
  })
})
