import type { IncomingMessage } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { ClientGoneError } from '../../../../src-main/gateway/body/read-body.js'
import { Upload } from '../../../../src-main/gateway/body/upload.js'
import { startTestServer, type TestServer } from '../../../fixtures/http-server.js'

/** A client that sends ten of a hundred bytes and then nothing. */
const STALLING = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n${'x'.repeat(10)}`

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

test('an upload that stops arriving is cut off, and its client alone is to blame', async () => {
  const arrived = Promise.withResolvers<IncomingMessage>()
  server = await startTestServer((incoming) => arrived.resolve(incoming))
  const connection = server.raw(STALLING)
  const request = await arrived.promise
  const upload = new Upload(request, undefined, 50)
  const failed = new Promise((resolve) => upload.once('error', resolve))
  upload.resume()
  expect(await failed).toBeInstanceOf(ClientGoneError)
  await connection.ended
})
