import { afterEach, expect, test, vi } from 'vitest'
import { EventQueue, type EventQueueOptions, type SendResult } from '../../../src-main/telemetry/axiom/event-queue.js'
import type { TelemetryEvent } from '../../../src-main/telemetry/axiom/events.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'

afterEach(() => vi.useRealTimers())

const event = (n: number): TelemetryEvent => ({ _time: '2026-01-01T00:00:00Z', event: 'DNT Lookup', n })

/** A queue whose other end answers with `answers` in turn, the last one for ever. */
function open(answers: (SendResult | 'hang')[], options: EventQueueOptions = {}) {
  vi.useFakeTimers()
  const log = createRecordingLog()
  const batches: number[][] = []
  const queue = new EventQueue(
    {
      log,
      send(batch, signal) {
        batches.push(batch.map(({ n }) => n as number))
        const answer = answers[Math.min(batches.length, answers.length) - 1]
        if (answer !== 'hang' && answer !== undefined) return Promise.resolve(answer)
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ kind: 'retry', reason: 'aborted' }))
        })
      },
    },
    options,
  )
  return { queue, log, batches }
}

const SENT: SendResult = { kind: 'sent' }
const RETRY: SendResult = { kind: 'retry', reason: 'Axiom answered 429' }

test('events go together, two seconds after the first', async () => {
  const { queue, batches } = open([SENT])
  for (const n of [1, 2, 3]) queue.push(event(n))
  await vi.advanceTimersByTimeAsync(1_999)
  expect(batches).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(batches).toEqual([[1, 2, 3]])
  expect(queue.size).toBe(0)
})

test('a full batch goes at once, and none is larger', async () => {
  const { queue, batches } = open([SENT], { maxBatch: 2 })
  for (const n of [1, 2, 3, 4, 5]) queue.push(event(n))
  await vi.advanceTimersByTimeAsync(0)
  expect(batches).toEqual([[1, 2], [3, 4], [5]])
})

test('a batch that is not taken is sent again a few times and then given up', async () => {
  const { queue, batches, log } = open([RETRY])
  queue.push(event(1))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(batches).toEqual([[1], [1], [1], [1]])
  expect(queue.lost).toBe(1)
  expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
})

test('what comes while a batch waits to be sent again keeps its order', async () => {
  const { queue, batches } = open([RETRY, SENT])
  queue.push(event(1))
  await vi.advanceTimersByTimeAsync(2_000)
  queue.push(event(2))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(batches).toEqual([[1], [1], [2]])
})

test('a refusal is not repeated', async () => {
  const { queue, batches } = open([{ kind: 'refused', reason: 'Axiom answered 401' }])
  queue.push(event(1))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(batches).toEqual([[1]])
  expect(queue.lost).toBe(1)
})

test('the oldest go when too many wait, and that is told at 1, 10, 100', async () => {
  const { queue, batches, log } = open(['hang'], { maxBatch: 1, maxQueued: 3 })
  queue.push(event(0))
  await vi.advanceTimersByTimeAsync(0)
  for (let n = 1; n <= 153; n++) queue.push(event(n))
  expect(queue.size).toBe(3)
  expect(queue.lost).toBe(150)
  expect(log.lines.map(({ fields }) => fields['lost'])).toEqual([1, 10, 100])
  const closing = queue.close(1_000)
  await vi.advanceTimersByTimeAsync(1_000)
  await closing
  expect(batches[0]).toEqual([0])
})

test('closing sends what is left and takes nothing any more', async () => {
  const { queue, batches } = open([SENT])
  queue.push(event(1))
  await queue.close(1_000)
  queue.push(event(2))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(batches).toEqual([[1]])
  await queue.close(1_000)
})

test('closing does not wait longer than it was told', async () => {
  const { queue, log } = open(['hang'])
  queue.push(event(1))
  let closed = false
  const closing = queue.close(1_000).then(() => (closed = true))
  await vi.advanceTimersByTimeAsync(999)
  expect(closed).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  await closing
  expect(queue.lost).toBe(1)
  expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
})
