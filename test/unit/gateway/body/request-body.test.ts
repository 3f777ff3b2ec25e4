import type { IncomingMessage } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { AppError } from '#shared/errors.js'
import { BodyMemory } from '../../../../src-main/gateway/body/body-memory.js'
import { ClientGoneError, readBody } from '../../../../src-main/gateway/body/read-body.js'
import { modelOf, readRoutingBody, type RequestBody } from '../../../../src-main/gateway/body/request-body.js'
import { eventually } from '../../../fixtures/eventually.js'
import { startTestServer, type TestServer } from '../../../fixtures/http-server.js'

type Outcome = RequestBody | AppError | ClientGoneError

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

/** What becomes of the body of a request sent as these bytes. */
async function outcomeOf(
  request: string | ((server: TestServer) => { leave: () => void }),
  options = { maxBytes: 1024, identityKnown: false },
): Promise<Outcome> {
  const outcome = Promise.withResolvers<Outcome>()
  let client: { leave: () => void } | undefined
  server = await startTestServer((incoming, response) => {
    // Its head has come, so that there is somebody to leave.
    setImmediate(() => client?.leave())
    readRoutingBody(incoming, options).then(
      (body) => {
        outcome.resolve(body)
        response.end()
      },
      (error: unknown) => {
        outcome.resolve(error as AppError)
        response.end()
      },
    )
  })
  if (typeof request === 'string') server.raw(request)
  else client = request(server)
  return await outcome.promise
}

const post = (body: string, type?: string): string =>
  `POST / HTTP/1.1\r\nHost: x\r\n${type === undefined ? '' : `Content-Type: ${type}\r\n`}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

const codeOf = (outcome: Outcome): string => (outcome instanceof AppError ? outcome.code : 'none')

describe('a body', () => {
  test('a request without a body has none', async () => {
    expect(await outcomeOf('GET / HTTP/1.1\r\nHost: x\r\n\r\n')).toEqual({ kind: 'none' })
    await server?.close()
    expect(await outcomeOf(post(''))).toEqual({ kind: 'none' })
  })

  test.each(['application/json', 'Application/JSON; charset=utf-8', 'application/vnd.api+json'])(
    'of type %s is read as JSON',
    async (type) => {
      const body = '{"model": "gpt2"}'
      const outcome = await outcomeOf(post(body, type))
      expect(outcome).toMatchObject({ kind: 'read', bytes: Buffer.from(body) })
      expect(modelOf(outcome as RequestBody)).toBe('gpt2')
    },
  )

  test.each([undefined, 'application/x-www-form-urlencoded', 'text/plain'])(
    'of curl -d (%s) is JSON when it looks like it',
    async (type) => {
      const outcome = await outcomeOf(post(' \n{"model": "gpt2"}', type))
      expect(outcome).toMatchObject({ kind: 'read', contentType: 'application/json' })
      expect(modelOf(outcome as RequestBody)).toBe('gpt2')
    },
  )

  test('a form body that is no JSON stays what it is', async () => {
    expect(await outcomeOf(post('a=1&b=2', 'application/x-www-form-urlencoded'))).toEqual({
      kind: 'read',
      bytes: Buffer.from('a=1&b=2'),
      unpacked: false,
    })
  })

  test.each(['application/octet-stream', 'audio/wav'])('of type %s streams', async (type) => {
    expect(await outcomeOf(post('RIFF', type))).toMatchObject({ kind: 'stream' })
  })

  test('form data gives its model field', async () => {
    const form = '--X\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n--X--\r\n'
    expect(await outcomeOf(post(form, 'multipart/form-data; boundary=X'))).toMatchObject({ form: { model: 'whisper' } })
  })

  test.each([
    ['without a boundary', 'multipart/form-data'],
    ['that ends too early', 'multipart/form-data; boundary=X'],
  ])('of form data %s is refused', async (_name, type) => {
    expect(codeOf(await outcomeOf(post('--X\r\nContent-Disposition: form-data; name="m"', type)))).toBe(
      'invalid_request',
    )
  })
})

describe('a body over the limit', () => {
  test('a body over the limit is refused by its declared length, before it is read', async () => {
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n'
    expect(codeOf(await outcomeOf(head))).toBe('body_too_large')
  })

  test('a chunked body over the limit is refused as soon as it is over', async () => {
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
    expect(codeOf(await outcomeOf(`${head}401\r\n${'x'.repeat(0x401)}\r\n`))).toBe('body_too_large')
  })

  test('a body over the limit may stream when a header names the identity', async () => {
    const options = { maxBytes: 1024, identityKnown: true }
    expect(await outcomeOf(post('x'.repeat(2_000), 'application/json'), options)).toMatchObject({ kind: 'stream' })
    await server?.close()
    expect(await outcomeOf(post('half {', 'application/json'), options)).toEqual({
      kind: 'read',
      bytes: Buffer.from('half {'),
    })
  })
})

test('a client that leaves in the middle of its body is told from a fault of this node', async () => {
  const outcome = await outcomeOf((running) => {
    const { socket } = running.raw(
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    )
    return { leave: () => socket.resetAndDestroy() }
  })
  expect(outcome).toBeInstanceOf(ClientGoneError)
})

describe('a JSON body', () => {
  test.each(['{"a": 1', '{', '{"a": 1}x', "{'a': 1}", '[]', '"x"', 'null', '1', '{"a": "\xff"}'])(
    '%j is invalid_json',
    async (text) => {
      const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n`
      const bytes = Buffer.concat([Buffer.from(head), Buffer.from(text, 'latin1')])
      const outcome = await outcomeOf((running) => {
        running.raw(bytes)
        return { leave: () => undefined }
      })
      expect(codeOf(outcome)).toBe('invalid_json')
    },
  )

  test('a body that names its model twice is refused, in whatever spelling', async () => {
    const body = ' {\n"model" : "a" , "mod\\u0065l":null}'
    expect(codeOf(await outcomeOf(post(body, 'application/json')))).toBe('invalid_request')
  })

  test('a byte order mark before it is no error', async () => {
    for (const type of ['application/json', 'text/plain']) {
      const outcome = await outcomeOf(post('\u{feff}{"model":"gpt2"}', type))
      expect(outcome).toMatchObject({ kind: 'read', bytes: Buffer.from('{"model":"gpt2"}') })
      await server?.close()
    }
  })

  test('more values than are read end it before the rest has come', async () => {
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000000\r\n\r\n'
    const options = { maxBytes: 64 * 1024 * 1024, identityKnown: false }
    // The rest of what was declared never comes.
    const outcome = await outcomeOf(`${head}{"messages":[${'{},'.repeat(2_000_001)}`, options)
    expect(codeOf(outcome)).toBe('body_too_large')
  })
})

describe('a compressed body', () => {
  const CODINGS = {
    gzip: gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
    zstd: zstdCompressSync,
  }
  const packed = (coding: string, bytes: Buffer, server_: TestServer): void =>
    void server_.raw(
      Buffer.concat([
        Buffer.from(
          `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: ${coding}\r\nContent-Length: ${bytes.length}\r\n\r\n`,
        ),
        bytes,
      ]),
    )
  const outcomeOfPacked = (coding: string, bytes: Buffer, options?: { maxBytes: number; identityKnown: boolean }) =>
    outcomeOf((running) => {
      packed(coding, bytes, running)
      return { leave: () => undefined }
    }, options)

  test.each(Object.entries(CODINGS))('in %s is read like any other', async (coding, pack) => {
    const outcome = await outcomeOfPacked(coding, pack(Buffer.from('{"model":"gpt2"}')))
    expect(outcome).toMatchObject({ kind: 'read', bytes: Buffer.from('{"model":"gpt2"}'), unpacked: true })
    expect(modelOf(outcome as RequestBody)).toBe('gpt2')
  })

  test.each(Object.entries(CODINGS))('in %s that grows beyond the limit is refused', async (coding, pack) => {
    const bomb = pack(Buffer.from(`{"a":"${'a'.repeat(10_000_000)}"}`))
    const outcome = await outcomeOfPacked(coding, bomb, { maxBytes: 64 * 1024, identityKnown: false })
    expect(codeOf(outcome)).toBe('body_too_large')
  })

  test('a damaged or cut one is told as such', async () => {
    const whole = gzipSync(Buffer.from('{"model":"gpt2"}'))
    expect(codeOf(await outcomeOfPacked('gzip', Buffer.from('{"model":"gpt2"}')))).toBe('invalid_request')
    await server?.close()
    expect(codeOf(await outcomeOfPacked('gzip', whole.subarray(0, 20)))).toBe('invalid_request')
  })

  test.each(['compress', 'gzip, gzip', 'constructor'])('in the coding %s is unsupported_media_type', async (coding) => {
    expect(codeOf(await outcomeOfPacked(coding, Buffer.from('{}')))).toBe('unsupported_media_type')
  })
})

test('a body is put together without loss, whatever its size and however it comes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 3_000_000 }), fc.boolean(), async (size, isChunked) => {
      const text = `{"model":"${'ab'.repeat(size / 2)}"}`
      const options = { maxBytes: 4 * 1024 * 1024, identityKnown: false }
      const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${text.length}`
      const sent = isChunked ? `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n` : text
      const outcome = await outcomeOf(
        `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${length}\r\n\r\n${sent}`,
        options,
      )
      expect(outcome).toMatchObject({ kind: 'read' })
      expect((outcome as { bytes: Buffer }).bytes.equals(Buffer.from(text))).toBe(true)
      await server?.close()
    }),
    { numRuns: 20 },
  )
})

test('a body whose memory is taken from it ends with the reason', async () => {
  const memory = new BodyMemory(() => 1_000_000)
  const held = memory.hold('peer')
  const arrived = Promise.withResolvers<IncomingMessage>()
  server = await startTestServer((incoming) => arrived.resolve(incoming))
  server.raw(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n${'x'.repeat(10)}`)
  const reading = readBody(await arrived.promise, { maxBytes: 1000, memory: held })
  await eventually(() => expect(memory.bytes).toBe(10))
  held.evict(new AppError('provider_busy', 'no room'))
  await expect(reading).rejects.toMatchObject({ code: 'provider_busy' })
  expect(memory.bytes).toBe(0)
})

test('a body that stops arriving is an error the client can read', async () => {
  const arrived = Promise.withResolvers<IncomingMessage>()
  server = await startTestServer((incoming) => arrived.resolve(incoming))
  server.raw(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n${'x'.repeat(10)}`)
  const request = await arrived.promise
  await expect(readBody(request, { maxBytes: 1000, stallMs: 50 })).rejects.toMatchObject({ code: 'invalid_request' })
  expect(request.socket.destroyed).toBe(false)
})
