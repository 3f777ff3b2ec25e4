import { expect, test, vi } from 'vitest'
import type { UpdateState } from '#shared/contract/node/update.js'
import { createUpdateFeed, createUpdateHandlers } from '../../../../src-main/api/handlers/update.js'

const READY: UpdateState = { kind: 'ready', version: '0.2.0' }
const source = () => ({
  state: READY,
  check: vi.fn(() => Promise.resolve(READY)),
  download: vi.fn(() => Promise.resolve(READY)),
  install: vi.fn(),
  subscribe: vi.fn(() => () => undefined),
})
const HERE = { capabilities: ['self-update'] as const }
const ELSEWHERE = { capabilities: ['autostart'] as const }

test('the app’s own window looks, downloads and installs', async () => {
  const updates = source()
  const handlers = createUpdateHandlers({ updates })
  for (const name of ['app.checkForUpdates', 'app.downloadUpdate', 'app.installUpdate'] as const) {
    expect(await handlers[name]({}, HERE)).toEqual(READY)
  }
  expect([updates.check, updates.download, updates.install].map((call) => call.mock.calls.length)).toEqual([1, 1, 1])
})

test('a browser that shows the same node sees the state and can do nothing about it', async () => {
  const updates = source()
  const handlers = createUpdateHandlers({ updates })
  for (const name of ['app.update', 'app.checkForUpdates', 'app.downloadUpdate', 'app.installUpdate'] as const) {
    expect(await handlers[name]({}, ELSEWHERE)).toEqual(READY)
  }
  expect([updates.check, updates.download, updates.install].map((call) => call.mock.calls.length)).toEqual([0, 0, 0])
})

test('a node without the desktop app says how it is updated', async () => {
  const handlers = createUpdateHandlers({})
  expect(await handlers['app.checkForUpdates']({}, HERE)).toMatchObject({ kind: 'unsupported' })
  expect(createUpdateFeed({}).snapshot()).toMatchObject({ kind: 'unsupported' })
})
