import { expect, test, vi } from 'vitest'
import { createAppHandlers } from '../../../../src-main/api/handlers/app.js'

const READ = { autostart: false, closeToTray: true, notifications: true, updates: false }
const source = () => ({ read: () => READ, set: vi.fn() })

test('a place that is offered a preference can read and change it', async () => {
  const app = source()
  const handlers = createAppHandlers({ app })
  const context = { capabilities: ['autostart'] as const }
  expect(await handlers['app.preferences']({}, context)).toEqual(READ)
  expect(await handlers['app.setPreference']({ name: 'autostart', value: true }, context)).toEqual(READ)
  expect(app.set).toHaveBeenCalledExactlyOnceWith('autostart', true)
})

test('a browser that shows the same node can neither read nor change how the app behaves', async () => {
  const app = source()
  const handlers = createAppHandlers({ app })
  const context = { capabilities: [] }
  expect(await handlers['app.preferences']({}, context)).toBeNull()
  expect(await handlers['app.setPreference']({ name: 'autostart', value: true }, context)).toBeNull()
  const other = { capabilities: ['notifications'] as const }
  expect(await handlers['app.setPreference']({ name: 'autostart', value: true }, other)).toBeNull()
  expect(app.set).not.toHaveBeenCalled()
})

test('a node without the desktop app has no such preferences', async () => {
  const handlers = createAppHandlers({})
  expect(await handlers['app.preferences']({}, { capabilities: ['autostart'] })).toBeNull()
})
