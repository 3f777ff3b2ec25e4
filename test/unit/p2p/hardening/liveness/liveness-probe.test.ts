import type { Connection } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { sendBufferOf, takenBetween } from '../../../../../src-main/p2p/hardening/liveness/liveness-probe.js'

const over = (maConn: object): Connection => ({ maConn }) as unknown as Connection

test('of a socket it is told what waits and what was taken, also below an accepted WebSocket', () => {
  const socket = { _handle: { bytesWritten: 500, writeQueueSize: 200 } }
  const expected = { waitingBytes: 207, writtenBytes: 500, takenBytes: 300 }
  expect(sendBufferOf(over({ socket, writeBufferLength: 7 }))).toEqual(expected)
  expect(sendBufferOf(over({ websocket: { _socket: socket }, writeBufferLength: 7 }))).toEqual(expected)
})

test('of a dialled WebSocket and of a relayed connection only what waits', () => {
  const websocket = { bufferedAmount: 90 }
  expect(sendBufferOf(over({ websocket, writeBufferLength: 1, writtenBytes: 300 }))).toEqual({
    ...{ waitingBytes: 91, writtenBytes: 300, takenBytes: undefined },
  })
  const nothing = { waitingBytes: 0, writtenBytes: 0, takenBytes: undefined }
  expect(sendBufferOf(over({ writeBufferLength: 4 }))).toEqual({ ...nothing, waitingBytes: 4 })
  expect(sendBufferOf({} as Connection)).toEqual(nothing)
})

test('what the network takes counts only where something waited for it: an empty buffer takes whatever comes', () => {
  const at = (waitingBytes: number, takenBytes?: number) => ({ waitingBytes, writtenBytes: 0, takenBytes })
  expect(takenBetween(at(0, 10), at(0, 99))).toBe(0)
  expect(takenBetween(at(5, 10), at(9, 99))).toBe(89)
  expect(takenBetween(at(5), at(2))).toBe(3)
  expect(takenBetween(at(5), at(9))).toBe(0)
})
