import { once } from 'node:events'
import type { Connection, Stream } from '@libp2p/interface'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { StreamDuplex, writeAtOnce } from '../../../../src-main/p2p/http/stream-duplex.js'
import type { Host } from '../../../../src-main/p2p/index.js'
import { connect, startBareHost } from '../../../fixtures/bare-host.js'
import { until } from '../../../fixtures/until.js'

const PROTOCOL = '/duplex-test'

let a: Host
let b: Host
const open: StreamDuplex[] = []

beforeAll(async () => {
  ;[a, b] = await Promise.all([startBareHost(), startBareHost()])
  await connect(a, b)
})

afterEach(() => {
  vi.useRealTimers()
  for (const socket of open.splice(0)) socket.destroy()
})

afterAll(async () => {
  await Promise.all([a.stop(), b.stop()])
})

/** Both ends of a fresh stream over real connections. */
async function pair(): Promise<[StreamDuplex, StreamDuplex]> {
  const accepted = Promise.withResolvers<StreamDuplex>()
  await b.libp2p.handle(PROTOCOL, (stream: Stream, connection: Connection) => {
    accepted.resolve(new StreamDuplex(stream, connection))
  })
  const [connection] = a.libp2p.getConnections(b.libp2p.peerId)
  const near = new StreamDuplex(await connection!.newStream(PROTOCOL), connection!)
  const far = await accepted.promise
  await b.libp2p.unhandle(PROTOCOL)
  for (const socket of [near, far]) socket.on('error', () => undefined)
  open.push(near, far)
  return [near, far]
}

/** Unlike `once`, does not mind an error before. */
const closeOf = (socket: StreamDuplex): Promise<void> => new Promise((resolve) => socket.once('close', resolve))

async function readAll(socket: StreamDuplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'end')
  return Buffer.concat(chunks)
}

describe('a stream as a socket', () => {
  test('tells who is at the other end', async () => {
    const [near, far] = await pair()
    expect(near.remoteAddress).toBe(b.peerId)
    expect(far.remoteAddress).toBe(a.peerId)
  })

  test('carries bytes both ways and counts them', async () => {
    const [near, far] = await pair()
    near.end('to the far end')
    far.end('and back')
    const [there, back] = await Promise.all([readAll(far), readAll(near)])
    expect([there.toString(), back.toString()]).toEqual(['to the far end', 'and back'])
    expect([near.bytesWritten, near.bytesRead]).toEqual([14, 8])
  })

  test('half closed still reads', async () => {
    const [near, far] = await pair()
    near.end('question')
    expect((await readAll(far)).toString()).toBe('question')
    far.end('answer')
    expect((await readAll(near)).toString()).toBe('answer')
  })

  test('does not run ahead of a reader that pauses, and loses nothing', async () => {
    const [near, far] = await pair()
    const total = 24 * 1024 * 1024
    const block = Buffer.alloc(256 * 1024, 'b')
    let accepted = 0
    const fill = (): void => {
      while (accepted < total) {
        accepted += block.length
        if (!near.write(block)) return void near.once('drain', fill)
      }
      near.end()
    }
    fill()
    await until(() => near.writableNeedDrain, { what: 'the writer has to wait' })
    const before = accepted
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
    expect(accepted).toBeLessThan(total)
    expect(before).toBeLessThan(total)
    let read = 0
    far.on('data', (chunk: Buffer) => {
      read += chunk.length
      if (read % (1024 * 1024) < chunk.length) {
        far.pause()
        setImmediate(() => far.resume())
      }
    })
    await once(far, 'end')
    expect(read).toBe(total)
  })

  test('what is written at once stands where it was written, and never before what waits', async () => {
    const [near, far] = await pair()
    const said: string[] = []
    const say = (words: string, isAtOnce: boolean): boolean => {
      const wentAtOnce = isAtOnce && writeAtOnce(near, Buffer.from(words))
      if (!wentAtOnce) near.write(words)
      said.push(words)
      return wentAtOnce
    }
    expect(say('one ', true)).toBe(true)
    say('two ', false)
    expect(say('three ', true)).toBe(true)
    near.cork()
    say('four ', false)
    expect(say('five ', true)).toBe(false)
    near.uncork()
    // More than the other end has room for: the rest waits.
    say('x'.repeat(1024 * 1024), false)
    expect(say('after all that ', true)).toBe(false)
    near.end()
    expect((await readAll(far)).toString()).toBe(said.join(''))
    expect(near.bytesWritten).toBe(said.join('').length)
    expect(writeAtOnce(near, Buffer.from('behind the end'))).toBe(false)
  })

  test('that is destroyed resets the other end', async () => {
    const [near, far] = await pair()
    near.write('first')
    await once(far, 'readable')
    far.read()
    const closed = closeOf(far)
    near.destroy()
    await closed
    expect(far.errored).toMatchObject({ code: 'ECONNRESET' })
  })

  test('that ended on both sides is closed without an error', async () => {
    const [near, far] = await pair()
    near.end('x')
    far.end('y')
    near.resume()
    far.resume()
    await Promise.all([once(near, 'close'), once(far, 'close')])
    expect([near.errored, far.errored]).toEqual([null, null])
  })

  test('writes what was written before destroySoon', async () => {
    const [near, far] = await pair()
    near.write(Buffer.alloc(1024 * 1024, 'x'))
    near.destroySoon()
    expect((await readAll(far)).length).toBe(1024 * 1024)
  })

  test('whose peer is gone fails', async () => {
    const [near, far] = await pair()
    const closed = closeOf(near)
    far.resetAndDestroy()
    await closed
    expect(near.errored).toMatchObject({ code: 'ECONNRESET' })
  })
})

describe('an idle timeout', () => {
  test('comes after silence, not before', async () => {
    const [near, far] = await pair()
    const startedAt = performance.now()
    near.setTimeout(60)
    far.resume()
    await once(near, 'timeout')
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(50)
    expect(near.destroyed).toBe(false)
  })

  test('is put off by traffic and can be turned off', async () => {
    const [near, far] = await pair()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    let timeouts = 0
    const listener = (): void => void (timeouts += 1)
    near.setTimeout(80, listener)
    far.resume()
    for (let turn = 0; turn < 6; turn += 1) {
      vi.advanceTimersByTime(50)
      near.write('x')
      far.write('y')
      await once(near, 'readable')
      near.read()
    }
    expect(timeouts).toBe(0)
    near.setTimeout(0, listener)
    expect(near.listenerCount('timeout')).toBe(0)
    vi.advanceTimersByTime(1_000)
    expect(timeouts).toBe(0)
  })
})
