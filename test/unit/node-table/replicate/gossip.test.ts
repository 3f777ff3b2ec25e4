import { TopicValidatorResult } from '@libp2p/gossipsub'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeGossipMessage, encodeGossipMessages } from '../../../../src-main/node-table/replicate/gossip.js'
import { validatorResult } from '../../../../src-main/node-table/replicate/gossip.js'

test('envelopes come out of gossip messages as they went in, in messages of at most 8 KB', () => {
  const envelope = fc.uint8Array({ minLength: 1, maxLength: 4096 })
  fc.assert(
    fc.property(fc.array(envelope, { maxLength: 8 }), (envelopes) => {
      const messages = encodeGossipMessages(envelopes)
      for (const message of messages) expect(message.byteLength).toBeLessThanOrEqual(8192)
      expect(messages.flatMap((message) => decodeGossipMessage(message) ?? [])).toEqual(envelopes)
    }),
    { numRuns: 100 },
  )
})

test('a message that is empty, too long, or cut is refused whole', () => {
  expect(decodeGossipMessage(new Uint8Array(0))).toBeUndefined()
  expect(decodeGossipMessage(new Uint8Array(8193))).toBeUndefined()
  expect(decodeGossipMessage(Uint8Array.from([0, 3, 1, 2]))).toBeUndefined()
  expect(decodeGossipMessage(Uint8Array.from([0, 0]))).toBeUndefined()
  expect(decodeGossipMessage(Uint8Array.from([0xff, 0xff, 1]))).toBeUndefined()
})

test('news is forwarded, what is known or cannot be judged is dropped, what is invalid is held against its sender', () => {
  expect(validatorResult(['accepted', 'known'])).toBe(TopicValidatorResult.Accept)
  expect(validatorResult(['equivocation'])).toBe(TopicValidatorResult.Accept)
  for (const verdict of ['known', 'early', 'old', 'banned', 'full', 'too-often', 'newer-version'] as const) {
    expect(validatorResult([verdict])).toBe(TopicValidatorResult.Ignore)
  }
  expect(validatorResult(['accepted', 'forged'])).toBe(TopicValidatorResult.Reject)
  expect(validatorResult(['malformed'])).toBe(TopicValidatorResult.Reject)
})
