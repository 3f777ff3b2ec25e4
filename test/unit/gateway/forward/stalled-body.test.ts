import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { ClientGoneError, readAll } from '../../../../src-main/gateway/body/request-body.js'
import { Upload } from '../../../../src-main/gateway/body/upload.js'
import { startTestServer, type TestServer } from '../../../fixtures/http-server.js'

/** A client that sends ten of a hundred bytes and then nothing. */
const STALLING = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n${'x'.repeat(10)}`

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function arrived(): Promise<{
  request: IncomingMessage
  response: ServerResponse
  connection: ReturnType<TestServer['raw']>
}> {
  const seen = Promise.withResolvers<[IncomingMessage, ServerResponse]>()
  server = await startTestServer((request, response) => seen.resolve([request, response]))
  const connection = server.raw(STALLING)
  const [request, response] = await seen.promise
  return { request, response, connection }
}

test('a body that stops arriving is an error the client can read', async () => {
  const { request } = await arrived()
  await expect(readAll(request, 1000, 50)).rejects.toMatchObject({ code: 'invalid_request' })
  expect(request.socket.destroyed).toBe(false)
})

test('an upload that stops arriving is cut off, and nobody else is to blame', async () => {
  const { request, connection } = await arrived()
  const upload = new Upload(request, undefined, 50)
  const failed = new Promise((resolve) => upload.once('error', resolve))
  upload.resume()
  expect(await failed).toBeInstanceOf(ClientGoneError)
  await connection.ended
})
