import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { firstContact } from '../../../../src-main/gateway/routing/first-contact.js'
import type { StatusOutcome } from '../../../../src-main/node-table/status/peer-status.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `peer${index}`)
const answered = (fields: object): StatusOutcome =>
  ({ kind: 'answered', status: { paused: null, slotsFree: null, ...fields } }) as StatusOutcome

/** A network in which only the peers named answer; the others never do. */
function networkOf(answers: Record<string, StatusOutcome>): {
  asked: string[]
  refresh(id: string): Promise<StatusOutcome>
} {
  const asked: string[] = []
  return {
    asked,
    refresh(id) {
      asked.push(id)
      const answer = answers[id]
      return answer === undefined ? new Promise(() => undefined) : Promise.resolve(answer)
    },
  }
}

test('one that is there is found at once, and few others are asked', async () => {
  const network = networkOf({ peer0: answered({}) })
  expect(await firstContact(network, ids(200))).toBe(true)
  expect(network.asked.length).toBeLessThanOrEqual(8)
})

test('the last of two hundred is found in less than a second though none of the others answers', async () => {
  const network = networkOf({ peer199: answered({}) })
  const met = firstContact(network, ids(200))
  await vi.advanceTimersByTimeAsync(999)
  expect(await met).toBe(true)
})

test.each([
  ['is paused', answered({ paused: 'by hand' })],
  ['has no room', answered({ slotsFree: 0 })],
  ['can not be reached', { kind: 'unreachable', reason: 'no' } as const],
])('one that %s is not met', async (_, outcome) => {
  expect(await firstContact(networkOf({ peer0: outcome }), ids(1))).toBe(false)
})

test('a peer of a version without a status is met where it is there', async () => {
  expect(await firstContact(networkOf({ peer0: { kind: 'unsupported' } }), ids(1))).toBe(true)
})

test('where nobody answers it gives up after five seconds', async () => {
  const met = firstContact(networkOf({}), ids(3))
  await vi.advanceTimersByTimeAsync(5_000)
  expect(await met).toBe(false)
  expect(vi.getTimerCount()).toBe(0)
})

test('there is nobody to meet in an empty list', async () => {
  expect(await firstContact(networkOf({}), [])).toBe(false)
})
