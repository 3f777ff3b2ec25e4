import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BadFrameError, FrameReader } from '../../../../../src-main/p2p/hardening/stream-bounds/frame-reader.js'

function framed(...frames: Uint8Array[]): Uint8Array {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const { byteLength } = frame
      return [
        byteLength < 128 ? Buffer.from([byteLength]) : Buffer.from([(byteLength % 128) | 128, byteLength >> 7]),
        frame,
      ]
    }),
  )
}

test('frames come out whole however the bytes are cut', () => {
  const frame = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 5 }), fc.integer({ min: 1, max: 100 }), (frames, step) => {
      const bytes = framed(...frames)
      const reader = new FrameReader(300)
      const out: Uint8Array[] = []
      for (let at = 0; at < bytes.byteLength; at += step) out.push(...reader.take(bytes.subarray(at, at + step)))
      expect(out.map((item) => Buffer.from(item).toString('hex'))).toEqual(
        frames.map((item) => Buffer.from(item).toString('hex')),
      )
    }),
  )
})

test('a frame that is too long is refused by its length, before its bytes are there', () => {
  const reader = new FrameReader(1000)
  expect(() => reader.take(Uint8Array.from([0xe9, 0x07]))).toThrow(BadFrameError)
})

test('a length that never ends is refused', () => {
  expect(() => new FrameReader(1000).take(Uint8Array.from([0x80, 0x80, 0x80, 0x80]))).toThrow(BadFrameError)
})
