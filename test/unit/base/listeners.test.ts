import { expect, it } from 'vitest'
import { Listeners } from '../../../src-main/base/listeners.js'

it('calls listeners in their order, with what is passed on', () => {
  const listeners = new Listeners<[number]>()
  const heard: string[] = []
  listeners.add((value) => heard.push(`a${value}`))
  listeners.add((value) => heard.push(`b${value}`))
  listeners.notify(1)
  expect(heard).toEqual(['a1', 'b1'])
})

it('a listener that was removed hears nothing more', () => {
  const listeners = new Listeners()
  let calls = 0
  const remove = listeners.add(() => (calls += 1))
  listeners.notify()
  remove()
  listeners.notify()
  expect(calls).toBe(1)
  expect(listeners.size).toBe(0)
})

it('a listener that throws keeps no other from hearing, and its error is thrown', () => {
  const listeners = new Listeners()
  let calls = 0
  listeners.add(() => {
    throw new Error('first')
  })
  listeners.add(() => (calls += 1))
  expect(() => listeners.notify()).toThrow('first')
  expect(calls).toBe(1)
})
