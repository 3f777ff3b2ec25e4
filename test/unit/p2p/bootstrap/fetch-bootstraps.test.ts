import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromAnswer } from '../../../../src-main/p2p/bootstrap/fetch-bootstraps.js'

test('the addresses of an answer are taken once each, and everything else in the list is counted', () => {
  const bootstraps = ['/ip4/10.0.0.1/tcp/1', 7, null, 'nonsense', '/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.2/udp/1/quic-v1']
  expect(fromAnswer(JSON.stringify({ bootstraps, more: true }))).toEqual({
    ok: true,
    addresses: ['/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.2/udp/1/quic-v1'],
    skipped: 3,
    beyond: 0,
  })
})

test('no more than 500 addresses are taken', () => {
  const bootstraps = Array.from({ length: 2000 }, (_, index) => `/ip4/10.0.0.1/tcp/${index + 1}`)
  expect(fromAnswer(JSON.stringify({ bootstraps }))).toMatchObject({
    addresses: { length: 500 },
    beyond: 1500,
  })
})

test.each([
  ['[]', 'its answer has no list "bootstraps"'],
  ['null', 'its answer has no list "bootstraps"'],
  ['{"bootstraps":"/ip4/10.0.0.1/tcp/1"}', 'its answer has no list "bootstraps"'],
  ['{"bootstraps":{"0":"/ip4/10.0.0.1/tcp/1","length":1}}', 'its answer has no list "bootstraps"'],
  ['{"bootstraps":[]}', 'it tells no address of a peer'],
  ['{"bootstraps":[1,null,{},["/ip4/10.0.0.1/tcp/1"],true]}', 'none of the first 5 entries it tells is an address'],
])('%s is told as what it is', (text, reason) => {
  expect(fromAnswer(text)).toEqual({ ok: false, reason })
})

test('of 100,000 entries the first 2,000 are read, in a moment', () => {
  const bootstraps = ['/ip4/10.0.0.1/tcp/1', ...Array.from({ length: 99_999 }, (_, index) => `no${index}`)]
  const before = performance.now()
  const found = fromAnswer(JSON.stringify({ bootstraps }))
  expect(found).toEqual({ ok: true, addresses: ['/ip4/10.0.0.1/tcp/1'], skipped: 1_999, beyond: 98_000 })
  expect(performance.now() - before).toBeLessThan(10_000)
})

test('any other text is a failure with a reason, never an exception', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(fromAnswer(text)).toMatchObject({ ok: false, reason: expect.stringMatching(/^its answer/) })
    }),
  )
})
