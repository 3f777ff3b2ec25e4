import { expect, test } from 'vitest'
import { AppError, toWireError } from '#shared/errors.js'
import { createDispatch, type Handlers } from '../../../src-main/api/dispatch.js'

const context = { capabilities: [] }
const dispatchWith = (handlers: Partial<Handlers>) => createDispatch({ handlers: handlers as Handlers })

test('a handler gets its input with the defaults filled in', async () => {
  const seen: unknown[] = []
  const dispatch = dispatchWith({
    'logs.recent': (input) => {
      seen.push(input)
      return []
    },
  })
  await dispatch('logs.recent', {}, context)
  expect(seen).toEqual([{ lines: 200 }])
})

test('what a handler returns too much is left out', async () => {
  const dispatch = dispatchWith({
    'settings.set': () => Promise.resolve({ restartNeeded: true, path: '/home/somebody' }),
  })
  await expect(dispatch('settings.set', { name: 'port', value: '1' }, context)).resolves.toEqual({
    restartNeeded: true,
  })
})

test('a handler that breaks the contract is a bug, of which the caller learns nothing', async () => {
  const dispatch = dispatchWith({ 'settings.set': () => ({ restartNeeded: 'secret' }) as never })
  const error: unknown = await dispatch('settings.set', { name: 'port', value: '1' }, context).catch((e: unknown) => e)
  expect(error).not.toBeInstanceOf(AppError)
  expect(toWireError(error, 'r1').error).toMatchObject({ code: 'internal', request_id: 'r1' })
  expect(JSON.stringify(toWireError(error, 'r1'))).not.toContain('secret')
})

test("a handler's own failure reaches the caller", async () => {
  const dispatch = dispatchWith({
    'settings.set': () => Promise.reject(new AppError('invalid_settings', 'port: "x" is not a port.')),
  })
  await expect(dispatch('settings.set', { name: 'port', value: 'x' }, context)).rejects.toMatchObject({
    code: 'invalid_settings',
  })
})

test('names are printed without what could forge a line of the log', async () => {
  const error = await dispatchWith({})('a\nb\u001b[31m', {}, context).catch((e: unknown) => e as Error)
  expect((error as Error).message).toBe('This node has no call "a?b?[31m".')
})
