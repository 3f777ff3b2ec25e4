import type { Connection, Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { fromAnswer } from '../../../src-main/p2p/bootstrap/fetch-bootstraps.js'
import { createPeerListener } from '../../../src-main/p2p/http/peer-listener.js'
import type { Host } from '../../../src-main/p2p/index.js'
import { decodeDialResponse } from '../../../src-main/p2p/reach/dial-back-message.js'
import { silentLog } from '../../fixtures/hosts.js'
import { createMutations } from '../../fixtures/mutations.js'

const INPUTS = 100_000
/** Each is a stream, a socket and a run of Node's own parser of HTTP. */
const HEADS = 10_000
/** A hang guard; a run takes a few seconds. */
const timeout = 120_000

test('no mutated answer about a dial back makes the parser throw', { timeout }, () => {
  const next = createMutations(1, [
    Uint8Array.from([6, 0x08, 1, 0x1a, 2, 0x08, 100]),
    Uint8Array.from([14, 0x08, 1, 0x1a, 10, 0x08, 0xc8, 1, 0x12, 5, 0x73, 0x6f, 0x72, 0x72, 0x79]),
  ])
  const statuses = new Set<string | undefined>()
  for (let input = 0; input < INPUTS; input += 1) statuses.add(decodeDialResponse(next()))
  expect(statuses).toEqual(new Set([undefined, 'ok', 'dial-error', 'refused', 'other']))
})

test(
  'no mutated list of bootstrap addresses makes the parser throw or gives what cannot be dialled',
  { timeout },
  () => {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    const peer = '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'
    const bootstraps = [`/ip4/127.0.0.1/tcp/43905/p2p/${peer}`, '/dns4/node.example/tcp/1/ws']
    const next = createMutations(2, [Buffer.from(JSON.stringify({ bootstraps }))])
    const results = { lists: 0, refused: 0 }
    for (let input = 0; input < INPUTS; input += 1) {
      const resolution = fromAnswer(Buffer.from(next()).toString('utf8'))
      if (resolution.ok) {
        results.lists += 1
        if (!resolution.addresses.every((address) => address.startsWith('/')))
          throw new Error(resolution.addresses.join())
      } else results.refused += 1
    }
    Error.stackTraceLimit = limit
    expect(Math.min(results.lists, results.refused)).toBeGreaterThan(1000)
  },
)

test(
  'no mutated request of a peer gets past the parser of HTTP without an answer or an end, or ends the node',
  {
    timeout,
  },
  async () => {
    let accept: ((stream: Stream, connection: Connection) => void) | undefined
    const libp2p = {
      handle: (_: string, handler: typeof accept) => {
        accept = handler
        return Promise.resolve()
      },
      unhandle: () => Promise.resolve(),
    }
    let requests = 0
    const listener = createPeerListener({
      host: { libp2p } as unknown as Host,
      log: silentLog,
      handler: (request, response) => {
        requests += 1
        request.on('error', () => undefined)
        request.resume()
        response.end('ok')
      },
    })
    await listener.start(new AbortController().signal)
    const heads = [
      'GET /v1/models?a=1&a=2 HTTP/1.1\r\nHost: peer\r\nX-Ocf-Hops: a,b\r\nContent-Length: 2\r\n\r\nhi',
      'POST /v1/_service/llm/v1/chat/completions HTTP/1.1\r\nHost: peer\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    ]
    const next = createMutations(
      3,
      heads.map((head) => Buffer.from(head)),
    )
    const connection = { remotePeer: 'somebody' } as unknown as Connection
    let unanswered = 0
    for (let input = 0; input < HEADS; input += 1) {
      const stream = createSayingStream()
      accept?.(stream.stream, connection)
      stream.say(Buffer.from(next()))
      unanswered += await stream.settled
    }
    await listener.stop()
    expect(requests).toBeGreaterThan(HEADS / 20)
    expect(requests).toBeLessThan(2 * HEADS)
    expect(unanswered).toBe(0)
  },
)

/** A stream whose other side says some bytes and closes; settles with 0 when it was closed or reset, 1 when not. */
function createSayingStream(): { stream: Stream; say(bytes: Uint8Array): void; settled: Promise<number> } {
  const target = new EventTarget()
  const settled = Promise.withResolvers<number>()
  const timer = setTimeout(() => settled.resolve(1), 5_000)
  const end = (event: Event): void => {
    clearTimeout(timer)
    stream.status = 'closed'
    target.dispatchEvent(event)
    settled.resolve(0)
  }
  const stream = Object.assign(target, {
    status: 'open',
    readStatus: 'readable',
    writeStatus: 'writable',
    remoteWriteStatus: 'writable',
    maxReadBufferLength: 0,
    readBufferLength: 0,
    writeBufferLength: 0,
    send: () => true,
    pause: () => undefined,
    resume: () => undefined,
    close: () => {
      end(new Event('close'))
      return Promise.resolve()
    },
    closeRead: () => Promise.resolve(),
    abort: (error: Error) => end(Object.assign(new Event('close'), { error })),
  })
  return {
    stream: stream as unknown as Stream,
    say(data) {
      target.dispatchEvent(Object.assign(new Event('message'), { data }))
      stream.remoteWriteStatus = 'closed'
      target.dispatchEvent(new Event('end'))
    },
    settled: settled.promise,
  }
}
