import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeDialResponse, encodeDial } from '../../../../src-main/p2p/reach/dial-back-message.js'

test('a dial carries its length, the peer and its addresses', () => {
  const bytes = encodeDial({ id: Buffer.from('id'), addresses: [Buffer.from('one')] })
  expect([...bytes]).toEqual([15, 0x08, 0x00, 0x12, 11, 0x0a, 9, 0x0a, 2, 0x69, 0x64, 0x12, 3, 0x6f, 0x6e, 0x65])
})

test.each([
  [[4, 0x08, 1, 0x1a, 0], 'ok'],
  [[6, 0x08, 1, 0x1a, 2, 0x08, 0], 'ok'],
  [[6, 0x08, 1, 0x1a, 2, 0x08, 100], 'dial-error'],
  [[6, 0x08, 1, 0x1a, 2, 0x08, 101], 'refused'],
  [[7, 0x08, 1, 0x1a, 3, 0x08, 0xc8, 1], 'other'],
  [[6, 0x08, 1, 0x1a], undefined],
  [[], undefined],
] as const)('the answer %j means %s', (bytes, status) => {
  expect(decodeDialResponse(Uint8Array.from(bytes))).toBe(status)
})

test('whatever a peer sends, reading it ends and does not throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect([undefined, 'ok', 'dial-error', 'refused', 'other']).toContain(decodeDialResponse(bytes))
    }),
  )
})
