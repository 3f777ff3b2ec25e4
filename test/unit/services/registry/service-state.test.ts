import { describe, expect, test } from 'vitest'
import type { CheckOutcome } from '../../../../src-main/services/registry/health-check.js'
import {
  isLogged,
  judge,
  NOT_YET_CHECKED,
  nextCheckInMs,
  type CheckFacts,
  type WatchState,
} from '../../../../src-main/services/registry/service-state.js'

const FACTS: CheckFacts = { urgent: false, busy: false, healthRetries: 6000 }
const ALIVE: CheckOutcome = { kind: 'alive', models: undefined, unreadable: 0 }
const WISHES = { healthIntervalMs: 10_000, healthRetries: 6000 }
const TIMINGS = { refreshMs: 30_000, firstRetryMs: 250 }

function after(outcomes: readonly CheckOutcome['kind'][], facts: Partial<CheckFacts> = {}): WatchState {
  return outcomes.reduce<WatchState>(
    (state, kind) => judge(state, outcome(kind), { ...FACTS, ...facts }),
    NOT_YET_CHECKED,
  )
}

function outcome(kind: CheckOutcome['kind']): CheckOutcome {
  if (kind === 'alive') return ALIVE
  return kind === 'unfit' ? { kind, reason: 'it is odd' } : { kind }
}

describe('where a server stands', () => {
  test.each([
    [['alive'], 'connected'],
    [['refused', 'alive'], 'connected'],
    [['refused', 'refused', 'refused', 'refused'], 'starting'],
    [['loading', 'loading'], 'starting'],
    [['alive', 'refused', 'refused'], 'connected'],
    [['alive', 'refused', 'refused', 'refused'], 'down'],
    [['alive', 'silent', 'unfit', 'refused'], 'down'],
    [['alive', 'silent', 'silent', 'alive', 'silent', 'silent'], 'connected'],
    [['alive', 'loading', 'loading', 'loading'], 'starting'],
    [['alive', 'refused', 'refused', 'refused', 'loading'], 'starting'],
    [['alive', 'refused', 'refused', 'refused', 'loading', 'alive'], 'connected'],
  ] as const)('after %j it is %s', (outcomes, status) => {
    expect(after(outcomes).status).toBe(status)
  })

  test('a refused check after a failed request withdraws it at once', () => {
    expect(judge(after(['alive']), { kind: 'refused' }, { ...FACTS, urgent: true }).status).toBe('down')
    expect(judge(after(['alive']), { kind: 'silent' }, { ...FACTS, urgent: true }).status).toBe('connected')
  })

  test('a silent server that is answering requests has not failed', () => {
    expect(after(['alive', 'silent', 'silent', 'silent', 'silent'], { busy: true })).toMatchObject({
      status: 'connected',
      failures: 0,
    })
    expect(after(['alive', 'refused', 'refused', 'refused'], { busy: true }).status).toBe('down')
  })

  test('a server that never answered is given up after the retries', () => {
    expect(after(['refused', 'refused', 'refused'], { healthRetries: 2 }).status).toBe('down')
    expect(after(['refused', 'refused'], { healthRetries: 2 }).status).toBe('starting')
  })
})

describe('when a server is checked next', () => {
  test('quickly at first, then at the interval asked for', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 100].map((failures) =>
      nextCheckInMs({ ...NOT_YET_CHECKED, failures }, TIMINGS, WISHES),
    )
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000])
  })

  test('every 30 s while it is fine, sooner while it is in doubt', () => {
    expect(nextCheckInMs(after(['alive']), TIMINGS, WISHES)).toBe(30_000)
    expect(nextCheckInMs(after(['alive', 'refused']), TIMINGS, WISHES)).toBe(10_000)
  })

  test('never after the last retry, but always once it has worked', () => {
    const few = { ...WISHES, healthRetries: 2 }
    expect(nextCheckInMs(after(['refused', 'refused', 'refused'], { healthRetries: 2 }), TIMINGS, few)).toBeUndefined()
    const gone = after(['alive', ...Array.from({ length: 50 }, () => 'refused' as const)], { healthRetries: 2 })
    expect(nextCheckInMs(gone, TIMINGS, few)).toBe(10_000)
  })
})

test('waiting is logged at doubling distance', () => {
  expect(Array.from({ length: 40 }, (_, index) => index).filter(isLogged)).toEqual([1, 2, 4, 8, 16, 32])
})
