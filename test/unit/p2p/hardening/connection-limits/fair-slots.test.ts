import { expect, test } from 'vitest'
import { createFairSlots } from '../../../../../src-main/p2p/hardening/connection-limits/fair-slots.js'

function slotsOf(max: number) {
  const slots = createFairSlots({ max })
  const lost: string[] = []
  const take = (holder: string, name: string, isBusy?: () => boolean) =>
    slots.take(holder, { onEvicted: () => lost.push(name), ...(isBusy === undefined ? {} : { isBusy }) })
  return { slots, lost, take }
}

test('one holder may have all places while nobody else wants one', () => {
  const { slots, take } = slotsOf(3)
  for (const name of ['a1', 'a2', 'a3']) expect(take('a', name)).toBeDefined()
  expect(slots.hasRoomFor('a')).toBe(false)
  expect(take('a', 'a4')).toBeUndefined()
  expect(slots.used).toBe(3)
})

test('a newcomer gets the oldest place of who has most', () => {
  const { slots, lost, take } = slotsOf(4)
  for (const name of ['a1', 'a2', 'a3']) take('a', name)
  take('b', 'b1')
  expect(slots.hasRoomFor('c')).toBe(true)
  expect(take('c', 'c1')).toBeDefined()
  expect(lost).toEqual(['a1'])
})

test('nobody takes a place from who would then have fewer', () => {
  const { lost, take } = slotsOf(4)
  for (const name of ['1', '2']) {
    take('a', `a${name}`)
    take('b', `b${name}`)
  }
  expect(take('a', 'a3')).toBeUndefined()
  expect(take('c', 'c1')).toBeDefined()
  expect(take('c', 'c2')).toBeUndefined()
  expect(lost).toEqual(['a1'])
})

test('places at work give way last, and of them the newest', () => {
  const { lost, take } = slotsOf(3)
  const busy = () => true
  take('a', 'a1', busy)
  take('a', 'a2')
  take('a', 'a3', busy)
  take('b', 'b1')
  take('c', 'c1')
  expect(lost).toEqual(['a2', 'a3'])
  const all = slotsOf(3)
  for (const name of ['a1', 'a2', 'a3']) all.take('a', name, busy)
  all.take('b', 'b1')
  expect(all.lost).toEqual(['a3'])
})

test('a place that was given back, twice even, is free once, and nobody is told', () => {
  const { slots, lost, take } = slotsOf(1)
  const slot = take('a', 'a1')
  slot?.release()
  slot?.release()
  expect(slots.used).toBe(0)
  expect(take('b', 'b1')).toBeDefined()
  expect(lost).toEqual([])
})

test('with thousands of holders each has as many as the others in the end', () => {
  const { slots, take } = slotsOf(1000)
  for (let index = 0; index < 2000; index += 1) take('greedy', String(index))
  const got = Array.from({ length: 999 }, (_, index) => take(`modest ${index}`, 'one'))
  expect(got.every((slot) => slot !== undefined)).toBe(true)
  expect(slots.used).toBe(1000)
  expect(slots.hasRoomFor('one more')).toBe(false)
})

test('a holder that fills all slots loses a silent one for its own newcomer, and none that has spoken', () => {
  const slots = createFairSlots({ max: 3 })
  const lost: string[] = []
  const silent = new Set(['a1', 'a2'])
  const take = (name: string) => slots.take('a', { onEvicted: () => lost.push(name), isSilent: () => silent.has(name) })
  for (const name of ['a0', 'a1', 'a2']) take(name)
  expect(slots.hasRoomFor('a')).toBe(true)
  expect(take('a3')).toBeDefined()
  silent.delete('a2')
  expect(slots.hasRoomFor('a')).toBe(false)
  expect(take('a4')).toBeUndefined()
  expect(lost).toEqual(['a1'])
  expect(slots.used).toBe(3)
})

test('of the greediest holder the silent slots are evicted before older ones that have spoken', () => {
  const slots = createFairSlots({ max: 3 })
  const lost: string[] = []
  for (const name of ['a1', 'a2', 'a3']) {
    slots.take('a', { onEvicted: () => lost.push(name), isSilent: () => name === 'a3' })
  }
  expect(slots.take('b', { onEvicted: () => undefined })).toBeDefined()
  expect(lost).toEqual(['a3'])
})
