import { expect, test } from 'vitest'
import { AppError } from '#shared/errors.js'
import { createCallStore } from '../../../../src-renderer/stores/call-store.js'
import { createFakeClient } from '../../../contract/fake-client.js'

test('a call store keeps the last answer while it asks again', async () => {
  const client = createFakeClient()
  const store = createCallStore(client, 'logs.recent', { lines: 5 })
  client.answer('logs.recent', [])
  await store.load()
  expect(store.store.getState()).toEqual({ phase: 'live', data: [] })
  client.answer('logs.recent', new AppError('node_not_running', 'gone'))
  await store.load()
  expect(store.store.getState()).toMatchObject({ phase: 'lost', data: [], error: { code: 'node_not_running' } })
  expect(client.called).toEqual([
    { name: 'logs.recent', input: { lines: 5 } },
    { name: 'logs.recent', input: { lines: 5 } },
  ])
})
