import { expect, test, vi } from 'vitest'
import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import type { UpdateState } from '#shared/contract/node/update.js'
import type { PauseCause, PauseState } from '#shared/contract/sharing/pause.js'
import type { NodeState } from '../../../src-main/electron/node-state.js'
import { followForNotices, wasServed } from '../../../src-main/electron/notices.js'
import type { Preferences } from '../../../src-main/electron/preferences.js'
import { eventually } from '../../fixtures/eventually.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'

const SERVED = {
  ...{ direction: 'in', durationMs: 5, status: 200, error: null, model: 'llama3.2' },
} as TrafficEntry

function setUp(options: { notifications?: boolean; entries?: TrafficEntry[] } = {}) {
  let listener: () => void = () => undefined
  let pause: PauseState | undefined
  let update: UpdateState | undefined
  let requestsIn = 0
  let now = { notifications: options.notifications ?? true, firstServedTold: false } as Preferences
  const state = {
    get pause() {
      return pause
    },
    get update() {
      return update
    },
    get status() {
      return { requestsToday: { in: requestsIn, out: 0, local: 0, unanswered: 0 } }
    },
    subscribe(added: () => void) {
      listener = added
      return () => (listener = () => undefined)
    },
  } as unknown as NodeState
  const preferences = {
    get now() {
      return now
    },
    change: (part: Partial<Preferences>) => void (now = { ...now, ...part }),
  }
  const show = vi.fn()
  const dispatch = vi.fn(() => Promise.resolve(options.entries ?? [SERVED]))
  const stop = followForNotices({ state, control: { dispatch }, preferences, show, log: createRecordingLog() })
  return {
    show,
    dispatch,
    stop: () => stop(),
    pausedBy: (cause: PauseCause, sentence: string): void => {
      const reasons = [{ cause, sentence, untilMs: null }]
      pause = { paused: true, reasons, running: 0, cutAtMs: null, rules: [] }
      listener()
    },
    updateIs: (state: UpdateState): void => {
      update = state
      listener()
    },
    requests: (count: number): void => {
      requestsIn = count
      listener()
    },
  }
}

test('each cause that pauses is told once, and a pause by hand not at all', () => {
  const { show, pausedBy } = setUp()
  pausedBy('manual', 'you paused it')
  expect(show).not.toHaveBeenCalled()
  pausedBy('user-active', 'you are using this computer')
  pausedBy('user-active', 'you are using this computer')
  pausedBy('on-battery', 'it runs on battery')
  expect(show.mock.calls).toEqual([
    [{ title: 'Sharing is paused', body: 'You are using this computer.', page: 'share' }],
    [{ title: 'Sharing is paused', body: 'It runs on battery.', page: 'share' }],
  ])
})

test('the first request that was served is told once ever', async () => {
  const { show, requests, dispatch } = setUp()
  requests(0)
  expect(dispatch).not.toHaveBeenCalled()
  requests(1)
  await eventually(() => expect(show).toHaveBeenCalledOnce())
  expect(show).toHaveBeenCalledWith(expect.objectContaining({ title: 'First request served', page: 'traffic' }))
  requests(2)
  expect(dispatch).toHaveBeenCalledOnce()
})

test('a request that was refused, failed or still runs is none that was served', () => {
  expect(wasServed(SERVED)).toBe(true)
  for (const other of [{ status: 503 }, { durationMs: null }, { direction: 'out' }, { error: 'provider_busy' }]) {
    expect(wasServed({ ...SERVED, ...other } as TrafficEntry)).toBe(false)
  }
})

test('a newer version is told once when it can be installed', () => {
  const { show, updateIs } = setUp()
  updateIs({ kind: 'available', version: '0.2.0' })
  expect(show).not.toHaveBeenCalled()
  updateIs({ kind: 'ready', version: '0.2.0' })
  updateIs({ kind: 'ready', version: '0.2.0' })
  expect(show.mock.calls).toEqual([
    [{ title: 'Version 0.2.0 is ready', body: 'Restart Open Compute to install it.', page: 'settings' }],
  ])
})

test('who has switched notifications off sees none', () => {
  const { show, pausedBy, updateIs } = setUp({ notifications: false })
  updateIs({ kind: 'ready', version: '0.2.0' })
  pausedBy('on-battery', 'it runs on battery')
  expect(show).not.toHaveBeenCalled()
})

test('after the end nothing is told', () => {
  const { show, pausedBy, stop } = setUp()
  stop()
  pausedBy('on-battery', 'it runs on battery')
  expect(show).not.toHaveBeenCalled()
})
