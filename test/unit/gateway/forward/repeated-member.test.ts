import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasRepeatedMember } from '../../../../src-main/gateway/body/request-body.js'

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
