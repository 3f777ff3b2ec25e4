import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { ChunkWriter } from '../../../../src-main/gateway/listener/client-connection.js'

/** What a client gets of an answer, and that it is whole. */
async function answerOf(
  answer: (response: ServerResponse) => void,
  method = 'GET',
): Promise<{ body: string; isComplete: boolean }> {
  const server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sent = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', method }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const pieces: Buffer[] = []
  response.on('data', (piece: Buffer) => pieces.push(piece))
  await once(response, 'end')
  server.close()
  return { body: Buffer.concat(pieces).toString(), isComplete: response.complete }
}

const flush = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
}

test('chunks of any length arrive in order, beside those that Node writes', async () => {
  const words = ['a', 'bc', '', 'd'.repeat(15), 'e'.repeat(16), 'f'.repeat(16 * 1024), 'g'.repeat(17 * 1024), 'h', 'i']
  const { body, isComplete } = await answerOf((response) => {
    flush(response)
    const writer = ChunkWriter.of(response)
    const writes = words.map((word, index) => () => {
      writer?.write(Buffer.from(word))
      if (index % 4 !== 3) return
      writer?.flush()
      response.write('beside')
    })
    // Some in one tick, some in ticks of their own.
    for (const write of writes.slice(0, 6)) write()
    setImmediate(() => {
      for (const write of writes.slice(6)) write()
      writer?.flush()
      response.end('the end')
    })
  })
  const all = words.map((word, index) => (index % 4 === 3 ? `${word}beside` : word))
  expect(body).toBe(`${all.join('')}the end`)
  expect(isComplete).toBe(true)
})

test('a client that does not read is heard of when it does', async () => {
  const chunk = Buffer.alloc(16 * 1024, 'x')
  const { body } = await answerOf((response) => {
    flush(response)
    const writer = ChunkWriter.of(response)
    let left = 1_000
    const fill = (): void => {
      while (left > 0) {
        left -= 1
        if (writer?.write(chunk) === false) {
          response.once('drain', fill)
          return
        }
      }
      writer?.flush()
      response.end()
    }
    fill()
  })
  expect(body).toHaveLength(1_000 * chunk.length)
})

test('an answer without chunks, or whose head waits, is left to Node', async () => {
  await answerOf((response) => {
    expect(ChunkWriter.of(response)).toBeUndefined()
    response.writeHead(200, { 'content-length': 2 })
    response.flushHeaders()
    expect(ChunkWriter.of(response)).toBeUndefined()
    response.end('ok')
  })
  await answerOf((response) => {
    flush(response)
    expect(ChunkWriter.of(response)).toBeUndefined()
    response.end()
  }, 'HEAD')
})

test('what comes in one tick leaves as one chunk', async () => {
  const written: string[] = []
  await answerOf((response) => {
    flush(response)
    const writer = ChunkWriter.of(response)
    const { socket } = response
    if (socket === null) throw new Error('there is no socket')
    const write = socket.write.bind(socket)
    socket.write = (data: string | Uint8Array, ...rest: never[]) => {
      written.push(Buffer.from(data as Uint8Array).toString())
      return write(data, ...rest)
    }
    for (const word of ['a', 'b', 'c']) writer?.write(Buffer.from(word))
    expect(written).toEqual([])
    setImmediate(() => response.end())
  })
  expect(written[0]).toBe('3\r\nabc\r\n')
})
