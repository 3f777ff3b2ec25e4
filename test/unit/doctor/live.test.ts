import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { AppError } from '#shared/errors.js'
import type { DoctorFacts } from '../../../src-main/doctor/facts.js'
import { createLiveDoctor } from '../../../src-main/doctor/live.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }))
afterEach(() => void vi.useRealTimers())

function live() {
  const given = { peers: 1, reads: 0, failing: undefined as Error | undefined }
  const log = createRecordingLog()
  const scanSlowFacts = vi.fn(() => Promise.resolve())
  const doctor = createLiveDoctor({
    read() {
      given.reads += 1
      if (given.failing !== undefined) throw given.failing
      const seen = {
        publicIps: [],
        natKind: 'unknown',
        addresses: [{ atMs: 7 }, { atMs: undefined }],
        asking: undefined,
      }
      return { reach: { seen }, knownPeers: given.peers } as unknown as DoctorFacts
    },
    check: ({ knownPeers }) => [{ id: 'peers', state: 'ok', fact: String(knownPeers), meaning: 'm', fix: '' }],
    isAlone: () => given.peers === 0,
    scanSlowFacts,
    log,
  })
  return { given, log, scanSlowFacts, doctor, fact: () => doctor.state().checks[0]?.fact }
}

test('followers hear of a change within two seconds, and of nothing else', () => {
  const { given, doctor } = live()
  const listener = vi.fn()
  const stop = doctor.subscribe(listener)
  expect(doctor.state()).toMatchObject({ askedAtMs: 7, asking: null })
  vi.advanceTimersByTime(10_000)
  expect(listener).not.toHaveBeenCalled()
  given.peers = 2
  vi.advanceTimersByTime(2_000)
  expect(listener).toHaveBeenCalledOnce()
  for (let at = 0; at < 20; at += 1) {
    given.peers += 1
    vi.advanceTimersByTime(100)
  }
  expect(listener).toHaveBeenCalledTimes(2)
  stop()
})

test('nothing is read while nobody follows, and whoever asks often costs one reading in two seconds', () => {
  const { given, scanSlowFacts, doctor, fact } = live()
  doctor.subscribe(() => undefined)()
  vi.advanceTimersByTime(60_000)
  expect([given.reads, scanSlowFacts.mock.calls.length]).toEqual([0, 0])
  for (let at = 0; at < 10; at += 1) fact()
  expect(given.reads).toBe(1)
  given.peers = 2
  expect(fact()).toBe('1')
  vi.advanceTimersByTime(2_000)
  expect(fact()).toBe('2')
})

test('the last peer that leaves and the first that comes are seen at once', () => {
  const { given, fact } = live()
  expect(fact()).toBe('1')
  given.peers = 0
  expect(fact()).toBe('0')
  given.peers = 5
  expect(fact()).toBe('5')
})

test('a network that stops is no news and no error, and anything else is logged', () => {
  const { given, log, doctor } = live()
  const listener = vi.fn()
  const stop = doctor.subscribe(listener)
  given.failing = new AppError('node_not_running', 'stopped')
  vi.advanceTimersByTime(4_000)
  expect(log.lines).toEqual([])
  given.failing = new Error('a fault')
  vi.advanceTimersByTime(2_000)
  expect(log.lines.map(({ level }) => level)).toEqual(['error'])
  expect(listener).not.toHaveBeenCalled()
  stop()
})
