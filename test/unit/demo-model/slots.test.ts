import { expect, test } from 'vitest'
import { createSlots } from '../../../src-main/demo-model/slots.js'

const never = (): AbortSignal => new AbortController().signal

test('places are given in the order of arrival', async () => {
  const slots = createSlots({ places: 1, queue: 5 })
  const order: number[] = []
  const first = await slots.acquire(never())
  const later = [1, 2, 3].map(async (number) => {
    const release = await slots.acquire(never())
    order.push(number)
    if (release !== 'full') release()
  })
  expect(slots).toMatchObject({ busy: 1, waiting: 3 })

  if (first !== 'full') first()
  await Promise.all(later)

  expect(order).toEqual([1, 2, 3])
  expect(slots).toMatchObject({ busy: 0, waiting: 0 })
})

test('a full queue takes nobody more', async () => {
  const slots = createSlots({ places: 1, queue: 0 })
  await slots.acquire(never())

  expect(await slots.acquire(never())).toBe('full')
})

test('who leaves the queue leaves no trace', async () => {
  const slots = createSlots({ places: 1, queue: 2 })
  const first = await slots.acquire(never())
  const leaving = new AbortController()
  const left = slots.acquire(leaving.signal)
  const stayed = slots.acquire(never())
  leaving.abort(new Error('left'))
  await expect(left).rejects.toThrow('left')

  if (first !== 'full') first()

  expect(await stayed).toBeTypeOf('function')
  expect(slots).toMatchObject({ busy: 1, waiting: 0 })
})

test('a place given back twice is free once', async () => {
  const slots = createSlots({ places: 1, queue: 2 })
  const release = await slots.acquire(never())
  if (release === 'full') throw new Error('unreachable')
  release()
  await slots.acquire(never())
  release()

  expect(slots.busy).toBe(1)
})
