import type { IncomingMessage, ServerResponse } from 'node:http'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ApiKeyCheck, asksForKey } from '../../../../src-main/gateway/listener/api-keys.js'
import { Arrival } from '../../../../src-main/gateway/listener/arrival.js'

const KEY = `ocf_${'k'.repeat(43)}`

function arrivalOf(headers: Record<string, string | string[]>, remoteAddress = '192.0.2.1'): Arrival {
  const request = { headers, method: 'GET', socket: { remoteAddress } } as unknown as IncomingMessage
  return new Arrival('local', request, { setHeader: () => undefined } as unknown as ServerResponse)
}

function keyCheck(options: { isRequired?: boolean } = {}) {
  let nowMs = 0
  const check = new ApiKeyCheck({
    keys: { find: (presented) => (presented === KEY ? { name: 'phone' } : undefined) },
    monotonic: { elapsedMs: () => nowMs },
    isRequired: () => options.isRequired ?? true,
  })
  const outcome = (headers: Record<string, string>, from?: string): string => {
    const arrival = arrivalOf(headers, from)
    check.identify(arrival)
    try {
      check.assert(arrival, { kind: 'none' })
      return 'passes'
    } catch (error) {
      const { code, retryAfterS } = error as { code: string; retryAfterS?: number }
      return retryAfterS === undefined ? code : `${code} ${retryAfterS}`
    }
  }
  return { check, outcome, pass: (ms: number) => (nowMs += ms) }
}

test.each([
  ['auto', '127.0.0.1', false],
  ['auto', '127.9.9.9', false],
  ['auto', '::1', false],
  ['auto', 'localhost', false],
  ['auto', '0.0.0.0', true],
  ['auto', '::', true],
  ['auto', '192.168.1.4', true],
  ['auto', 'my-machine', true],
  ['auto', 'evil.localhost', true],
  ['required', '127.0.0.1', true],
  ['none', '0.0.0.0', false],
  ['none', '127.0.0.1', false],
] as const)('with api-key %s at %s a key is asked for: %s', (setting, host, expected) => {
  expect(asksForKey({ 'api-key': setting, host })).toBe(expected)
})

test('an address that shows no valid API key again and again is answered 429, and its valid key still passes', () => {
  const { outcome, pass } = keyCheck()
  const answers = Array.from({ length: 30 }, () => outcome({ 'x-api-key': `ocf_${'w'.repeat(43)}` }))
  expect(answers.slice(0, 20)).toEqual(Array(20).fill('unauthorized'))
  expect(answers.slice(20)).toEqual(Array(10).fill('rate_limited 3'))
  expect(outcome({}, '::ffff:192.0.2.1')).toBe('rate_limited 3')
  expect(outcome({}, '192.0.2.2')).toBe('unauthorized')
  expect(outcome({ authorization: `Bearer ${KEY}` })).toBe('passes')
  pass(3_000)
  expect([outcome({}), outcome({})]).toEqual(['unauthorized', 'rate_limited 3'])
})

test('addresses of one IPv6 network are one source of wrong API keys', () => {
  const { outcome } = keyCheck()
  const answers = Array.from({ length: 21 }, (_, index) => outcome({}, `2a02:db8:1:2::${index.toString(16)}`))
  expect(answers.at(-1)).toMatch(/^rate_limited/)
  expect(outcome({}, '2a02:db8:1:3::1')).toBe('unauthorized')
})

test('whatever a client writes into the headers, no API key of this gateway is left in them', () => {
  const { check } = keyCheck({ isRequired: false })
  const noise = fc.string({ maxLength: 12 })
  const value = fc
    .tuple(noise, fc.constantFrom(KEY, `ocf_${'w'.repeat(43)}`, 'sk-x', ''), noise)
    .map((parts) => parts.join(''))
  const scheme = fc.constantFrom('', 'Bearer ', 'bearer  ', 'Basic ')
  const one = fc.tuple(scheme, value).map((parts) => parts.join(''))
  const headers = fc.record(
    { authorization: one, 'x-api-key': one, 'api-key': one, accept: fc.constant('*/*') },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(headers, (given) => {
      const arrival = arrivalOf({ ...given })
      check.identify(arrival)
      for (const [name, was] of Object.entries(given)) {
        const hasKey = /ocf_[A-Za-z0-9_-]{43}/.test(was)
        expect(arrival.request.headers[name]).toBe(hasKey ? undefined : was)
      }
      const shown = [given.authorization?.replace(/^bearer +/i, ''), given['x-api-key'], given['api-key']]
      if (arrival.keyHolder !== undefined) expect(shown.map((text) => text?.trim())).toContain(KEY)
    }),
  )
})
