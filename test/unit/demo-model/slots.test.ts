import { expect, test } from 'vitest'
import { Slots } from '../../../src-main/demo-model/slots.js'

const never = (): AbortSignal => new AbortController().signal

async function held(slots: Slots): Promise<() => void> {
  const release = await slots.acquire(never())
  if (release === 'full') throw new Error('the queue is full')
  return release
}

test('slots are given in the order of arrival', async () => {
  const slots = new Slots(1, 3)
  const order: number[] = []
  const first = await held(slots)
  const later = [1, 2, 3].map(async (number) => {
    const release = await held(slots)
    order.push(number)
    release()
  })
  expect(await slots.acquire(never())).toBe('full')

  first()
  await Promise.all(later)

  expect(order).toEqual([1, 2, 3])
  await held(slots)
})

test('a full queue takes no more', async () => {
  const slots = new Slots(1, 0)
  await held(slots)

  expect(await slots.acquire(never())).toBe('full')
})

test('a client that leaves the queue leaves no trace', async () => {
  const slots = new Slots(1, 2)
  const first = await held(slots)
  const leaving = new AbortController()
  const left = slots.acquire(leaving.signal)
  const stayed = held(slots)
  leaving.abort(new Error('left'))
  await expect(left).rejects.toThrow('left')

  first()

  const last = await stayed
  const next = held(slots)
  last()
  await next
})

test('a slot that is released twice is free once', async () => {
  const slots = new Slots(1, 0)
  const release = await held(slots)
  release()
  await held(slots)
  release()

  expect(await slots.acquire(never())).toBe('full')
})
