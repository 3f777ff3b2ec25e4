import { expect, test } from 'vitest'
import { createKeyUsage } from '../../../src-main/telemetry/key-usage.js'
import { createTrafficFeed } from '../../../src-main/telemetry/traffic.js'

test('requests and tokens are counted by API key, today and since the start, and forgotten with the key', () => {
  let nowMs = new Date(2026, 0, 31, 23, 0).getTime()
  const clock = { now: () => nowMs }
  const traffic = createTrafficFeed({ clock, monotonic: { elapsedMs: () => 0 } })
  const usage = createKeyUsage({ traffic, clock })
  const request = (key: string | null, tokens: number | null): void => {
    const start = { id: 'r', direction: 'local', service: 'llm', method: 'POST', route: '/' } as const
    traffic.begin({ ...start, key }).finish({ status: 200, tokens, tokensIn: 3 })
  }
  request('phone', 5)
  request('phone', null)
  request('laptop', 1)
  request(null, 100)
  expect(usage.of('phone').today).toEqual({ requests: 2, tokensIn: 6, tokensOut: 5 })
  nowMs += 2 * 3_600_000
  expect(usage.of('phone').today.requests).toBe(0)
  request('phone', 1)
  expect(usage.of('phone')).toEqual({
    today: { requests: 1, tokensIn: 3, tokensOut: 1 },
    sinceStart: { requests: 3, tokensIn: 9, tokensOut: 6 },
  })
  usage.forget('phone')
  expect(usage.of('phone').sinceStart.requests).toBe(0)
  expect(usage.of('laptop').sinceStart.requests).toBe(1)
})
