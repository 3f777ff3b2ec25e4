import { expect, test, vi } from 'vitest'
import { ALIVE_EVERY_MS, createAliveReporter } from '../../../../src-main/gateway/forward/exchange.js'

test('a provider whose answer flows is reported alive every five seconds, however many pieces come', () => {
  let nowMs = 0
  const report = vi.fn()
  const onPiece = createAliveReporter(report, () => nowMs)
  for (; nowMs < 3 * ALIVE_EVERY_MS + 100; nowMs += 10) onPiece()
  expect(report).toHaveBeenCalledTimes(3)
})

test('an answer that falls silent is not reported', () => {
  let nowMs = 0
  const report = vi.fn()
  const onPiece = createAliveReporter(report, () => nowMs)
  onPiece()
  nowMs = 10 * ALIVE_EVERY_MS
  expect(report).not.toHaveBeenCalled()
  onPiece()
  onPiece()
  expect(report).toHaveBeenCalledOnce()
})
