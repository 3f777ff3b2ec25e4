import { expect, test, vi } from 'vitest'
import type { PeerView } from '#shared/contract/network/peers.js'
import { AppError } from '#shared/errors.js'
import { createFeedStore, dataOf } from '../../../../src-renderer/stores/feed-store.js'
import { createFakeClient } from '../../../contract/fake-client.js'

const peer = (peerId: string): PeerView => ({
  peerId,
  connected: true,
  standing: 'proven',
  paths: ['direct-tcp'],
  multiaddrs: [],
  direction: 'outbound',
  connectedAtMs: 0,
  offers: [],
  version: '',
})

test('a feed is followed once while it has any watchers', () => {
  const client = createFakeClient()
  const store = createFeedStore(client, 'peers')
  expect(client.followers('peers')).toBe(0)
  const leaveFirst = store.watch()
  const leaveSecond = store.watch()
  expect(client.followers('peers')).toBe(1)
  leaveFirst()
  leaveFirst()
  expect(client.followers('peers')).toBe(1)
  leaveSecond()
  expect(client.followers('peers')).toBe(0)
  store.watch()
  expect(client.followers('peers')).toBe(1)
})

test('deltas are applied to the snapshot', () => {
  const client = createFakeClient()
  const feed = createFeedStore(client, 'peers')
  feed.watch()
  expect(feed.store.getState()).toEqual({ phase: 'loading' })
  client.snapshot('peers', [peer('a'), peer('b')])
  client.delta('peers', { set: [peer('c'), { ...peer('b'), connected: false }], removed: ['a'] })
  expect(dataOf(feed.store.getState())?.map(({ peerId, connected }) => [peerId, connected])).toEqual([
    ['b', false],
    ['c', true],
  ])
})

test('a lost feed keeps what was known, and is live again with the next snapshot', () => {
  const client = createFakeClient()
  const feed = createFeedStore(client, 'peers')
  feed.watch()
  client.snapshot('peers', [peer('a')])
  client.lose('peers', new AppError('node_not_running', 'gone'))
  expect(feed.store.getState()).toMatchObject({ phase: 'lost', data: [{ peerId: 'a' }] })
  client.snapshot('peers', [])
  expect(feed.store.getState()).toEqual({ phase: 'live', data: [] })
})

test('a feed that never came has no data when it is lost', () => {
  const client = createFakeClient()
  const feed = createFeedStore(client, 'status')
  feed.watch()
  client.lose('status', new AppError('unauthorized', 'old key'))
  expect(feed.store.getState()).toMatchObject({ phase: 'lost', data: undefined, error: { code: 'unauthorized' } })
})

test('listeners of a store hear of each change once', () => {
  const client = createFakeClient()
  const feed = createFeedStore(client, 'peers')
  const listener = vi.fn()
  feed.store.subscribe(listener)
  feed.watch()
  client.snapshot('peers', [])
  client.delta('peers', { set: [peer('a')], removed: [] })
  expect(listener).toHaveBeenCalledTimes(2)
})
