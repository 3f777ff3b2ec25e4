import { expect, test } from 'vitest'
import { ConnectionLostError, MalformedAnswerError } from '../../../src-main/http-client/errors.js'
import { Answer, fakeClient, GET, turn, type FakeSocket } from '../../fixtures/http-client.js'
import { createMutations } from '../../fixtures/mutations.js'

const INPUTS = 100_000
/** Answers under way at the same time: a turn of the event loop costs more than one of them. */
const TOGETHER = 500

const GENUINE = [
  'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\nKeep-Alive: timeout=5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: u\r\n\r\n',
  'HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Busy\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nno',
  'HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nuntil the end',
  'HTTP/1.1 204 None\r\nConnection: keep-alive\r\n\r\n',
  'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi',
  'HTTP/1.1 304 Same\r\nETag: "x"\r\nContent-Length: 7\r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'))

test('no mutated answer throws, hangs, ends twice or takes memory', { timeout: 120_000 }, async () => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  const next = createMutations(11, GENUINE)
  const ends = new Map<string, number>()
  const count = (end: string): unknown => ends.set(end, (ends.get(end) ?? 0) + 1)
  for (let input = 0; input < INPUTS; input += TOGETHER) {
    const { client, sockets } = fakeClient({ maxConnections: TOGETHER })
    const answers: Answer[] = []
    for (let index = 0; index < TOGETHER; index += 1) {
      const answer = new Answer({ onUpgrade: (_headers, socket) => void socket.on('error', () => undefined) })
      answers.push(answer)
      client.send(
        { ...GET, ...(index % 5 === 0 ? { upgrade: 'websocket' } : {}), method: index % 7 === 0 ? 'HEAD' : 'GET' },
        answer,
      )
    }
    await turn()
    const given = sockets.map((socket, index) => giveCut(socket, Buffer.from(next()), index))
    for (const [index, socket] of sockets.entries()) {
      if (index % 3 === 0) socket.destroy(index % 2 === 0 ? new Error('reset') : undefined)
      else socket.ends()
    }
    await turn()
    await turn()
    for (const [index, answer] of answers.entries()) {
      if (answer.finals !== 1 || answer.bytes > given[index]!) {
        throw new Error(`${answer.events.join()} after ${given[index]} bytes of input ${input + index}`)
      }
      if (
        answer.error !== undefined &&
        !(answer.error instanceof MalformedAnswerError || answer.error instanceof ConnectionLostError)
      ) {
        throw answer.error
      }
      count(answer.error?.name ?? answer.events.at(-1)!)
      answer.socket?.destroy()
    }
    expect(client.stats).toEqual({ connections: 0, running: 0, waiting: 0 })
  }
  Error.stackTraceLimit = limit
  for (const end of ['end', 'upgrade', 'MalformedAnswerError', 'ConnectionLostError']) {
    expect(ends.get(end)).toBeGreaterThan(500)
  }
})

/** In one piece, in two, or in many; how many bytes. */
function giveCut(socket: FakeSocket, bytes: Buffer, index: number): number {
  if (index % 4 === 0) for (const byte of bytes) socket.gives(Buffer.of(byte))
  else if (index % 4 === 1) socket.gives(bytes)
  else {
    const at = (index * 31) % (bytes.length + 1)
    if (at > 0) socket.gives(bytes.subarray(0, at))
    if (at < bytes.length) socket.gives(bytes.subarray(at))
  }
  return bytes.length
}
