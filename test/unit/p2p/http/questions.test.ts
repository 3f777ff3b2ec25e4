import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { limitQuestions } from '../../../../src-main/p2p/http/questions.js'

function asking() {
  const clock = { ms: 0, elapsedMs: () => clock.ms }
  let handled = 0
  const listener = limitQuestions(() => (handled += 1), { capacity: 2, refillPerS: 1 }, clock)
  const ask = (peer: string, url = '/v1/dnt/table'): number => {
    let status = 200
    const response = { writeHead: (code: number) => (status = code), end: () => undefined }
    listener(
      { url, socket: { remoteAddress: peer }, resume: () => undefined } as unknown as IncomingMessage,
      response as unknown as ServerResponse,
    )
    return status
  }
  return { clock, ask, handled: () => handled }
}

test('a peer that asks too often is told so, and others are not', () => {
  const { clock, ask, handled } = asking()
  expect([ask('a'), ask('a'), ask('a'), ask('b')]).toEqual([200, 200, 429, 200])
  clock.ms = 1000
  expect(ask('a')).toBe(200)
  expect(handled()).toBe(4)
})

test('requests for a service are the owner’s to limit', () => {
  const { ask } = asking()
  expect(Array.from({ length: 10 }, () => ask('a', '/v1/_service/llm/v1/chat/completions'))).not.toContain(429)
})
