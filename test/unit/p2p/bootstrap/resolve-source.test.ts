import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromAnswer } from '../../../../src-main/p2p/bootstrap/resolve-source.js'

test('the addresses of an answer are taken, everything else in the list is counted', () => {
  const bootstraps = ['/ip4/10.0.0.1/tcp/1', 7, null, 'nonsense', '/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.2/udp/1/quic-v1']
  expect(fromAnswer(JSON.stringify({ bootstraps, more: true }))).toEqual({
    ok: true,
    addresses: ['/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.2/udp/1/quic-v1'],
    skipped: 4,
  })
})

test('no more than 500 addresses are taken', () => {
  const bootstraps = Array.from({ length: 2000 }, (_, index) => `/ip4/10.0.0.1/tcp/${index + 1}`)
  expect(fromAnswer(JSON.stringify({ bootstraps }))).toMatchObject({ addresses: { length: 500 } })
})

test('any other text is a failure with a reason, never an exception', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(fromAnswer(text)).toMatchObject({ ok: false, reason: expect.stringMatching(/^its answer/) })
    }),
  )
})
