import type { IncomingMessage } from 'node:http'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { AppError } from '#shared/errors.js'
import {
  ClientGoneError,
  hasRepeatedMember,
  parseObject,
  readAll,
  readRoutingBody,
  type RequestBody,
} from '../../../../src-main/gateway/body/request-body.js'
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
      expect(await outcomeOf(post(body, type))).toEqual({
        kind: 'read',
        bytes: Buffer.from(body),
        json: { model: 'gpt2' },
      })
    },
  )

  test.each([undefined, 'application/x-www-form-urlencoded', 'text/plain'])(
    'of curl -d (%s) is JSON when it looks like it',
    async (type) => {
      const outcome = await outcomeOf(post(' \n{"model": "gpt2"}', type))
      expect(outcome).toMatchObject({ kind: 'read', json: { model: 'gpt2' }, contentType: 'application/json' })
    },
  )

  test('a form body that is no JSON stays what it is', async () => {
    expect(await outcomeOf(post('a=1&b=2', 'application/x-www-form-urlencoded'))).toEqual({
      kind: 'read',
      bytes: Buffer.from('a=1&b=2'),
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
  test.each(['{"a": 1', '', '{', '{"a": 1}x', '\u{feff}{}', "{'a': 1}", '[]', '"x"', 'null', '1'])(
    '%j is invalid_json',
    (text) => {
      expect(() => parseObject(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'invalid_json' }))
    },
  )

  test('malformed JSON never has a piece of itself in the error', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{5,30}$/), fc.constantFrom('', '"', '}', ',]', '\\'), (secret, end) => {
        let message = ''
        try {
          parseObject(Buffer.from(`{"messages": ${secret}${end}`))
        } catch (error) {
          message = (error as Error).message
        }
        expect(message).not.toBe('')
        const pieces = Array.from({ length: secret.length - 4 }, (_, at) => secret.slice(at, at + 5))
        const said = 'The request body is not valid JSON: it ends too early or is malformed at position line column.'
        for (const piece of pieces) if (!said.includes(piece)) expect(message).not.toContain(piece)
      }),
    )
  })

  test('JSON keeps a key named __proto__ a key', () => {
    const json = parseObject(Buffer.from('{"__proto__": {"model": "x"}}'))
    expect(json['model']).toBeUndefined()
    expect(Object.keys(json)).toEqual(['__proto__'])
  })
})

test.each([
  ['{"model":"a","model":"b"}', true],
  ['{"model":"a","n":{"x":[1,"]"]},"mod\\u0065l":"b"}', true],
  ['{"\\u006dodel":"a","\\u006Dodel":"b"}', true],
  [' {\n"model" : "a" , "model":null}', true],
  ['{"model":"a"}', false],
  ['{"model":"model","messages":[{"model":"a"},{"model":"b"}]}', false],
  ['{"model":"a","text":"\\",\\"model\\":\\"b\\"","path":"\\\\"}', false],
  ['{"model":"a","options":{"model":"b"},"tail":"\\u00e9"}', false],
  ['{}', false],
])('%s: %s', (text, expected) => {
  expect(hasRepeatedMember(text, 'model')).toBe(expected)
})

test('an object written by JSON.stringify never repeats a member', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (object, model) => {
      expect(hasRepeatedMember(JSON.stringify({ ...object, model }), 'model')).toBe(false)
    }),
  )
})

test('a member added to any object is found', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const text = JSON.stringify({ ...object, model: 'a' })
      expect(hasRepeatedMember(`${text.slice(0, -1)},"model":"b"}`, 'model')).toBe(true)
    }),
  )
})

test('a body that stops arriving is an error the client can read', async () => {
  const arrived = Promise.withResolvers<IncomingMessage>()
  server = await startTestServer((incoming) => arrived.resolve(incoming))
  server.raw(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n${'x'.repeat(10)}`)
  const request = await arrived.promise
  await expect(readAll(request, 1000, 50)).rejects.toMatchObject({ code: 'invalid_request' })
  expect(request.socket.destroyed).toBe(false)
})
