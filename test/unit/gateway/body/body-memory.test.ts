import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BodyMemory, type HeldBody } from '../../../../src-main/gateway/body/body-memory.js'

const LIMIT = 100

/** A held body, and whether its memory was taken from it. */
function held(memory: BodyMemory, holder: string | undefined, bytes = 0): { body: HeldBody; isEvicted: () => boolean } {
  const body = memory.hold(holder)
  let evicted = false
  body.onEvicted(() => (evicted = true))
  if (bytes > 0) body.grow(bytes)
  return { body, isEvicted: () => evicted }
}

test('the largest body of whoever holds most makes room for others', () => {
  const memory = new BodyMemory(() => LIMIT)
  const modest = held(memory, 'modest', 30)
  const small = held(memory, 'greedy', 20)
  const large = held(memory, 'greedy', 40)
  held(memory, 'newcomer', 20)
  expect([modest, small, large].map(({ isEvicted }) => isEvicted())).toEqual([false, false, true])
  expect(memory.bytes).toBe(70)
})

test('a program of this machine has room while peers or pages hold any', () => {
  const memory = new BodyMemory(() => LIMIT)
  const peer = held(memory, 'peer', 60)
  const own = held(memory, undefined, 90)
  expect(peer.isEvicted()).toBe(true)
  expect(own.isEvicted()).toBe(false)
})

test('a peer takes nothing from the programs of this machine', () => {
  const memory = new BodyMemory(() => LIMIT)
  const own = held(memory, undefined, 90)
  expect(() => held(memory, 'peer', 20)).toThrow(expect.objectContaining({ code: 'rate_limited' }) as Error)
  expect(own.isEvicted()).toBe(false)
  expect(memory.bytes).toBe(90)
})

test('what is at work keeps its memory, and the one that finds no room is refused', () => {
  const memory = new BodyMemory(() => LIMIT)
  const working = held(memory, 'peer', 80)
  working.body.keep()
  expect(() => held(memory, undefined, 30)).toThrow(expect.objectContaining({ code: 'rate_limited' }) as Error)
  expect(working.isEvicted()).toBe(false)
})

test('never more is held than the limit, nothing is lost and nothing is counted twice', () => {
  const step = fc.record({
    holder: fc.constantFrom('a', 'b', undefined),
    act: fc.constantFrom('grow', 'grow', 'release', 'keep', 'evict'),
    bytes: fc.integer({ min: 1, max: 60 }),
    which: fc.nat(5),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const memory = new BodyMemory(() => LIMIT)
      const bodies = new Map<string, { body: HeldBody; bytes: number }>()
      for (const { holder, act, bytes, which } of steps) {
        const key = `${holder ?? 'own'} ${which}`
        let entry = bodies.get(key)
        if (entry === undefined) {
          const made = { body: memory.hold(holder), bytes: 0 }
          // Whoever reads it has failed: it never grows again.
          made.body.onEvicted(() => bodies.delete(key))
          entry = made
          bodies.set(key, entry)
        }
        if (act === 'grow') {
          try {
            entry.body.grow(bytes)
            entry.bytes += bytes
          } catch {
            entry.bytes = 0
          }
        } else if (act === 'keep') entry.body.keep()
        else {
          entry.body.release()
          entry.bytes = 0
        }
        const sum = [...bodies.values()].reduce((total, each) => total + each.bytes, 0)
        expect(memory.bytes).toBe(sum)
        expect(memory.bytes).toBeLessThanOrEqual(LIMIT)
      }
    }),
  )
})
