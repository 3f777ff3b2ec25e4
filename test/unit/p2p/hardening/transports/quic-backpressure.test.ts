import type { Connection, MultiaddrConnection, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { createLivenessProbes } from '../../../../../src-main/p2p/hardening/liveness/liveness-probe.js'
import {
  quicMuxerWithBackpressure,
  type NativeQuicStream,
} from '../../../../../src-main/p2p/hardening/transports/quic-backpressure.js'

interface FakeStream extends Stream {
  native: NativeQuicStream
}

/** A native stream that gives what the test pushes, and remembers how much each read asked for. */
function fakeNative(id: string) {
  const asked: number[] = []
  const answers: ((chunk: Uint8Array | null) => void)[] = []
  const stream: NativeQuicStream = {
    id: () => id,
    read: (maxBytes) => {
      asked.push(maxBytes)
      return new Promise((resolve) => answers.push(resolve))
    },
    write: () => Promise.resolve(),
    finishWrite: () => Promise.resolve(),
    resetWrite: () => undefined,
    stopRead: () => undefined,
  }
  return { stream, asked, push: (chunk: Uint8Array | null) => answers.shift()?.(chunk) }
}

/** A muxer factory of the library's shape; its streams only keep what they were made of. */
class FakeFactory implements StreamMuxerFactory {
  protocol = 'quic'
  init: { connection: { outboundStream(): Promise<NativeQuicStream> }; logger: unknown }
  constructor(init: FakeFactory['init']) {
    this.init = init
  }
  createStreamMuxer(): StreamMuxer {
    const { connection } = this.init
    const streams: Stream[] = []
    return Object.assign(new EventTarget(), {
      streams,
      abort: (error: Error) => {
        for (const stream of streams) stream.abort(error)
      },
      createStream: async () => {
        const native = await connection.outboundStream()
        return { id: native.id(), native, sendPause: () => undefined, sendResume: () => undefined }
      },
    }) as unknown as StreamMuxer
  }
}

async function openStream() {
  const native = fakeNative('s1')
  const connection = {
    id: () => 'c1',
    inboundStream: () => new Promise<NativeQuicStream>(() => undefined),
    outboundStream: () => Promise.resolve(native.stream),
    stats: () => ({ udpRxDatagrams: 0 }),
  }
  const factory = quicMuxerWithBackpressure(new FakeFactory({ connection, logger: {} }))
  const stream = (await factory!.createStreamMuxer({} as MultiaddrConnection).createStream()) as FakeStream & {
    sendPause(): void
    sendResume(): void
  }
  return { native, stream }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

test('a paused stream reads nothing until it is resumed', async () => {
  const { native, stream } = await openStream()
  stream.sendPause()
  stream.sendPause()
  const read = stream.native.read(4096)
  await settle()
  expect(native.asked).toEqual([])
  stream.sendResume()
  await settle()
  expect(native.asked).toHaveLength(1)
  native.push(Buffer.from('x'))
  expect(await read).toEqual(Buffer.from('x'))
})

test('a stream paused again at once stays paused', async () => {
  const { native, stream } = await openStream()
  stream.sendPause()
  void stream.native.read(4096)
  stream.sendResume()
  stream.sendPause()
  await settle()
  expect(native.asked).toEqual([])
})

test('a reset lets a reader that waits go on, so that it sees the end', async () => {
  const { native, stream } = await openStream()
  stream.sendPause()
  void stream.native.read(4096)
  stream.native.resetWrite()
  await settle()
  expect(native.asked).toHaveLength(1)
})

test('reads grow while they come back full and shrink when they do not', async () => {
  const { native, stream } = await openStream()
  for (const size of [8 * 1024, 64 * 1024, 10, 10]) {
    const read = stream.native.read(4096)
    await settle()
    native.push(Buffer.alloc(size))
    await read
  }
  expect(native.asked).toEqual([8 * 1024, 64 * 1024, 64 * 1024, 8 * 1024])
})

function muxerOver(datagrams: () => number, probes = createLivenessProbes()): StreamMuxer {
  const connection = {
    id: () => 'c1',
    inboundStream: () => new Promise<NativeQuicStream>(() => undefined),
    outboundStream: () => Promise.resolve(fakeNative('s1').stream),
    stats: () => ({ udpRxDatagrams: datagrams() }),
  }
  const factory = quicMuxerWithBackpressure(new FakeFactory({ connection, logger: {} }), probes)
  return factory!.createStreamMuxer({} as MultiaddrConnection)
}

test('a connection that is aborted takes all of its streams with it', () => {
  const muxer = muxerOver(() => 0)
  const aborted: number[] = []
  const streams = [0, 1, 2, 3].map((index) => ({
    abort() {
      aborted.push(index)
      muxer.streams.splice(muxer.streams.indexOf(this as unknown as Stream), 1)
    },
  }))
  muxer.streams.push(...(streams as unknown as Stream[]))
  muxer.abort(new Error('gone'))
  expect(aborted).toEqual([0, 1, 2, 3])
})

test('the probe of a connection is its count of datagrams', () => {
  let datagrams = 7
  const probes = createLivenessProbes()
  const muxer = muxerOver(() => datagrams, probes)
  const probe = probes.of({ muxer } as unknown as Connection)!
  expect([probe.takeHeard(), probe.takeHeard()]).toEqual([true, false])
  datagrams += 1
  expect([probe.takeHeard(), probe.takeHeard()]).toEqual([true, false])
})

test('a muxer of another make is left alone', () => {
  const create = () => ({}) as StreamMuxer
  expect(quicMuxerWithBackpressure({ protocol: '/yamux/1.0.0', createStreamMuxer: create })).toBeUndefined()
  expect(quicMuxerWithBackpressure({ protocol: 'quic', createStreamMuxer: create })).toBeUndefined()
  const odd = new FakeFactory({ connection: { outboundStream: () => Promise.reject(new Error('unused')) }, logger: {} })
  expect(quicMuxerWithBackpressure(odd)).toBeUndefined()
})
