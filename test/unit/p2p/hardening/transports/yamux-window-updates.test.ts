import type { Stream } from '@libp2p/interface'
import { expect, test, vi } from 'vitest'
import { tuneStream } from '../../../../../src-main/p2p/hardening/transports/index.js'

function tuned(fields: { state: number; recvWindowCapacity: number; recvWindow: number }) {
  const original = vi.fn()
  const stream = { ...fields, sendWindowUpdate: original }
  tuneStream(stream as unknown as Stream)
  return { stream, original }
}

const ESTABLISHED = 3

test('an update waits until half the window is used', () => {
  const { stream, original } = tuned({ state: ESTABLISHED, recvWindowCapacity: 100, recvWindow: 100 })
  for (const left of [99, 75, 51]) {
    stream.recvWindowCapacity = left
    stream.sendWindowUpdate()
  }
  expect(original).not.toHaveBeenCalled()
  stream.recvWindowCapacity = 50
  stream.sendWindowUpdate()
  expect(original).toHaveBeenCalledTimes(1)
})

test.each([0, 2])('an update that opens or accepts the stream (state %i) goes out at once', (state) => {
  const { stream, original } = tuned({ state, recvWindowCapacity: 100, recvWindow: 100 })
  stream.sendWindowUpdate()
  expect(original).toHaveBeenCalledTimes(1)
})

test('a stream of another make is left alone', () => {
  const sendWindowUpdate = (): void => undefined
  const stream = { sendWindowUpdate }
  tuneStream(stream as unknown as Stream)
  expect(stream.sendWindowUpdate).toBe(sendWindowUpdate)
})
