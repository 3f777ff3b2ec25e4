import { expect, test } from 'vitest'
import { ErrorBody } from '../../../../../src-main/gateway/forward/attempt/error-body.js'

function bodyOf(...pieces: string[]): ErrorBody {
  const body = new ErrorBody()
  for (const piece of pieces) body.push(Buffer.from(piece))
  return body
}

test('a provider’s error names a code of the vocabulary, in however many pieces it comes', () => {
  expect(bodyOf('{"error":{"code":"provi', 'der_busy"}}').code()).toBe('provider_busy')
})

test.each([
  ['another code', '{"error":{"code":"toString"}}'],
  ['a number', '{"error":{"code":503}}'],
  ['a text', '{"error":"full"}'],
  ['no JSON', 'Service Unavailable'],
])('an error with %s names none', (_name, body) => {
  expect(bodyOf(body).code()).toBeUndefined()
})

test('an error longer than any sensible one is not kept', () => {
  const body = new ErrorBody()
  expect(body.push(Buffer.from('{"error":{"code":"provider_busy"}}'))).toBe(true)
  expect(body.push(Buffer.alloc(64 * 1024))).toBe(false)
  expect(body.inShape()).toBeUndefined()
})
