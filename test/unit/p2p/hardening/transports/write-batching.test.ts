import { setImmediate as turn } from 'node:timers/promises'
import type { StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { expect, test, vi } from 'vitest'
import { batchedFrames } from '../../../../../src-main/p2p/hardening/transports/write-batching.js'
import { silentLog } from '../../../../fixtures/hosts.js'

/** A connection that keeps what it is given, and a muxer that only passes its frames to it. */
function rig(answer: () => boolean = () => true) {
  const sent: string[] = []
  const pipe = {
    status: 'open',
    writableNeedsDrain: false,
    sendingData: false,
    writeStatus: 'writable',
    writeBuffer: new Uint8ArrayList(),
    send: (data: Uint8Array | Uint8ArrayList): boolean => pipe.sendData(new Uint8ArrayList(data)).canSendMore,
    abort: vi.fn((_error: Error) => undefined),
    sendData(data: Uint8ArrayList) {
      sent.push(Buffer.from(data.subarray()).toString())
      return { sentBytes: data.byteLength, canSendMore: answer() }
    },
  }
  const streams = [{ onMuxerNeedsDrain: vi.fn() }, { onMuxerNeedsDrain: vi.fn() }]
  const muxer = {
    streams,
    close: () => Promise.resolve(say('goodbye')),
    abort: () => {
      say('away')
    },
  }
  const factory = { createStreamMuxer: () => muxer } as unknown as StreamMuxerFactory
  const batched = batchedFrames(() => factory, { log: silentLog })({})
  const made: StreamMuxer = batched.createStreamMuxer(pipe as never)
  function say(text: string): { sentBytes: number; canSendMore: boolean } {
    return pipe.sendData(new Uint8ArrayList(Buffer.from(text)))
  }
  return { sent, pipe, streams, muxer: made, say }
}

test('what is said in one turn leaves together, in order, once the turn is over', async () => {
  const { sent, say } = rig()
  expect(say('a')).toEqual({ sentBytes: 1, canSendMore: true })
  await Promise.resolve()
  say('b')
  expect(sent).toEqual([])
  await turn()
  expect(sent).toEqual(['ab'])
  say('c')
  await turn()
  expect(sent).toEqual(['ab', 'c'])
  await turn()
  expect(sent).toHaveLength(2)
})

test('many frames, or many bytes, do not wait', async () => {
  const { sent, say } = rig()
  for (let index = 0; index < 20; index += 1) say(String(index % 10))
  expect(sent).toEqual(['0123456789012345'])
  await turn()
  expect(sent).toEqual(['0123456789012345', '6789'])
  say('x')
  say('y'.repeat(64_000))
  expect(sent[2]).toHaveLength(64_001)
})

test('a connection that is full tells the streams, and its muxer with the next frame', async () => {
  const { pipe, streams, say } = rig(() => false)
  expect(say('a').canSendMore).toBe(true)
  expect(streams[0]?.onMuxerNeedsDrain).not.toHaveBeenCalled()
  await turn()
  expect(pipe.writableNeedsDrain).toBe(true)
  for (const stream of streams) expect(stream.onMuxerNeedsDrain).toHaveBeenCalledOnce()
  expect(say('b').canSendMore).toBe(false)
})

test('last words are out when the muxer has closed, or was cut', async () => {
  const closed = rig()
  closed.say('a ')
  await closed.muxer.close()
  expect(closed.sent).toEqual(['a goodbye'])
  const cut = rig()
  cut.say('a ')
  cut.muxer.abort(new Error('enough'))
  expect(cut.sent).toEqual(['a away'])
})

test('what waits for a connection that is gone is dropped; one that fails is cut', async () => {
  const gone = rig()
  gone.say('a')
  gone.pipe.status = 'aborted'
  await turn()
  expect(gone.sent).toEqual([])
  expect(gone.pipe.abort).not.toHaveBeenCalled()
  const failing = rig(() => {
    throw new Error('no more nonces')
  })
  failing.say('a')
  await turn()
  expect(failing.pipe.abort).toHaveBeenCalledWith(expect.objectContaining({ message: 'no more nonces' }))
})

test('a connection of another make is left alone', () => {
  const createStreamMuxer = vi.fn(() => ({ streams: [] }))
  const factory = { createStreamMuxer } as unknown as StreamMuxerFactory
  const pipe = { send: () => true }
  batchedFrames(() => factory, { log: silentLog })({}).createStreamMuxer(pipe as never)
  expect(createStreamMuxer).toHaveBeenCalledWith(pipe)
  expect(Object.keys(pipe)).toEqual(['send'])
})

test('a frame passes the lists of a pipe on which nothing waits', async () => {
  const { pipe, sent } = rig(() => false)
  expect(pipe.send(Buffer.from('a'))).toBe(true)
  await turn()
  expect(sent).toEqual(['a'])
  expect(pipe.writableNeedsDrain).toBe(true)
})
