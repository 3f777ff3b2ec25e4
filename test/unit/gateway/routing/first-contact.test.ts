import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Choice } from '../../../../src-main/gateway/routing/choose-providers.js'
import {
  firstContact,
  firstWithProviders,
  meetOrLookFurther,
} from '../../../../src-main/gateway/routing/first-contact.js'
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

const choiceOf = (...peerIds: string[]): Choice => ({
  ...{ knownButAway: peerIds.length === 0, unproven: [], beyondReach: false, unable: false },
  providers: peerIds.map((peerId) => ({ kind: 'peer', peerId })),
})
const after = async (ms: number, choice: Choice): Promise<Choice> => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return choice
}

test('where those that are known answer soon, nobody else is looked for', async () => {
  const further = vi.fn(() => Promise.resolve(choiceOf('found')))
  const choice = firstWithProviders(after(900, choiceOf('known')), further)
  await vi.advanceTimersByTimeAsync(2_000)
  expect([await choice, further.mock.calls.length]).toEqual([choiceOf('known'), 0])
})

test('where they have gone or take long, others are looked for as well, and whoever is first is taken', async () => {
  const found = firstWithProviders(Promise.resolve(choiceOf()), () => after(300, choiceOf('found')))
  const late = firstWithProviders(after(5_000, choiceOf()), () => after(300, choiceOf('found')))
  const known = firstWithProviders(after(1_100, choiceOf('known')), () => after(3_000, choiceOf('found')))
  await vi.advanceTimersByTimeAsync(1_500)
  expect(await Promise.all([found, late, known])).toEqual([choiceOf('found'), choiceOf('found'), choiceOf('known')])
})

test.each([
  ['three that may have gone', 3, 300],
  ['many', 10, 1_000],
])('with %s, others are looked for after a moment', async (_, count, afterMs) => {
  const unproven = ids(count)
  const find = vi.fn(() => new Promise(() => undefined))
  void meetOrLookFurther({ now: () => ({ ...choiceOf(...unproven), unproven }), status: networkOf({}), find })
  await vi.advanceTimersByTimeAsync(afterMs - 1)
  expect(find).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(find).toHaveBeenCalledWith(true)
})

test('nobody anywhere is the answer of those that are known; a fault is told', async () => {
  const nobody = firstWithProviders(Promise.resolve(choiceOf()), () => Promise.resolve(choiceOf()))
  expect(await nobody).toEqual(choiceOf())
  const broken = firstWithProviders(Promise.resolve(choiceOf()), () => Promise.reject(new Error('broken')))
  await expect(broken).rejects.toThrow('broken')
})
