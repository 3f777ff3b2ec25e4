import type { MessageStreamDirection, Stream, StreamMuxer } from '@libp2p/interface'
import { AbstractMessageStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import fc from 'fast-check'
import { Uint8ArrayList } from 'uint8arraylist'
import { expect, test } from 'vitest'
import { libp2pLogger } from '../../../../../src-main/logging/index.js'
import { plainFrames, sendAtOnce } from '../../../../../src-main/p2p/hardening/transports/plain-frames.js'
import { silentLog } from '../../../../fixtures/hosts.js'

const logger = libp2pLogger(silentLog, { errorsAs: 'debug' })

/** A connection that keeps what is sent. */
class Pipe extends AbstractMessageStream {
  readonly sent: Uint8Array[] = []
  isFull = false

  constructor(direction: MessageStreamDirection) {
    super({ log: logger.forComponent('pipe'), direction })
  }
  sendData(data: Uint8ArrayList) {
    this.sent.push(data.slice())
    return { sentBytes: data.byteLength, canSendMore: !this.isFull }
  }
  bytes(): Buffer {
    return Buffer.concat(this.sent)
  }
  close = (): Promise<void> => Promise.resolve()
  sendReset(): void {}
  sendPause(): void {}
  sendResume(): void {}
}

type Kind = 'plain' | 'stock'

function muxerOver(pipe: Pipe, kind: Kind): StreamMuxer {
  const stock = yamux({ enableKeepAlive: false })
  const factory = kind === 'plain' ? plainFrames(stock, { log: silentLog }) : stock
  return factory({ logger }).createStreamMuxer(pipe)
}

const text = (data: Uint8Array | Uint8ArrayList): string => Buffer.from(data.subarray()).toString()

/** What the streams of a muxer deliver of bytes that are cut as `sizes` say. */
function delivered(kind: Kind, bytes: Buffer, sizes: readonly number[]): Record<string, string> {
  const pipe = new Pipe('inbound')
  const came: Record<string, string> = {}
  const add = (name: string, words: string): void => void (came[name] = (came[name] ?? '') + words)
  muxerOver(pipe, kind).addEventListener('stream', ({ detail: stream }) => {
    add(stream.id, '')
    stream.addEventListener('message', ({ data }) => add(stream.id, text(data)))
    stream.addEventListener('close', () => add(stream.id, ' closed'))
    stream.addEventListener('remoteCloseWrite', () => add(stream.id, ' ended'))
  })
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? bytes.length
    pipe.onData(bytes.subarray(at, at + size))
    at += size
  }
  // What is answered says whether windows and flags were understood.
  came['answered'] = pipe.bytes().toString('hex')
  came['status'] = pipe.status
  return came
}

/** What a muxer says of a few streams. */
async function spoken(kind: Kind): Promise<Buffer> {
  const pipe = new Pipe('outbound')
  const muxer = muxerOver(pipe, kind)
  const streams = [await muxer.createStream(), await muxer.createStream(), await muxer.createStream()] as const
  await Promise.resolve()
  const say = (stream: Stream, words: string): void => {
    const data = new Uint8ArrayList(Buffer.from(words))
    if (kind === 'stock' || !sendAtOnce(stream, data)) stream.send(data)
  }
  for (const word of ['one ', 'two ', 'three ']) for (const stream of streams) say(stream, word)
  say(streams[1], 'x'.repeat(20_000))
  say(streams[0], 'the last')
  await streams[0].close({ signal: AbortSignal.timeout(1) }).catch(() => undefined)
  streams[2].abort(new Error('no more'))
  return pipe.bytes()
}

test('the same is said as without it', async () => {
  expect((await spoken('plain')).equals(await spoken('stock'))).toBe(true)
})

test('the same is understood as without it, wherever it is cut', async () => {
  const bytes = await spoken('stock')
  const whole = delivered('stock', bytes, [bytes.length])
  expect(whole).toMatchObject({ 1: 'one two three the last ended', 5: 'one two three  closed' })
  const cuts = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(cuts, (sizes) => {
      expect(delivered('plain', bytes, sizes)).toEqual(delivered('stock', bytes, sizes))
    }),
    { numRuns: 40 },
  )
})

test('any bytes end as they do without it', () => {
  const byte = fc.oneof(fc.constantFrom(0, 1, 2, 3, 12), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 80 }), (bytes) => {
      const data = Buffer.from(bytes)
      if (data.length > 0) expect(delivered('plain', data, [80])).toEqual(delivered('stock', data, [80]))
    }),
  )
})

test('nothing is sent past what waits, or beyond what the other end has room for', async () => {
  const pipe = new Pipe('outbound')
  const muxer = muxerOver(pipe, 'plain')
  const stream = await muxer.createStream()
  const word = (length: number): Uint8ArrayList => new Uint8ArrayList(Buffer.alloc(length))
  expect(sendAtOnce(stream, word(256 * 1024 + 1))).toBe(false)
  pipe.isFull = true
  expect(sendAtOnce(stream, word(100))).toBe(true)
  expect(sendAtOnce(stream, word(100))).toBe(false)
})
