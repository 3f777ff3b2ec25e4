import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EndMark } from '../../../../src-main/gateway/body/end-mark.js'
import type { Framing } from '../../../../src-main/gateway/body/stream-events.js'

const CASES = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'cases')
const CHAT = '/v1/chat/completions'
const UNKNOWN = '/v1/audio/speech'

function faultOf(
  pieces: readonly string[],
  options: { path?: string; framing?: Framing; isUsual?: (wasMarked: boolean) => boolean } = {},
): string | undefined {
  const { path = CHAT, framing = 'sse', isUsual = () => true } = options
  const mark = new EndMark(path, framing)
  for (const piece of pieces) mark.push(Buffer.from(piece))
  return mark.fault(isUsual)
}

const NO_MARK = 'it ended without the mark that its streams end with'
const INSIDE = 'it ended in the middle of an event'

test.each([
  ['OpenAI’s last line', CHAT, ['data: {"choices":[]}\n\n', 'data: [DONE]\n\n']],
  ['OpenAI’s last line without a blank line behind it', CHAT, ['data: {"choices":[]}\n\ndata: [DONE]']],
  ['a mark cut by the network', CHAT, ['data: [DO', 'NE', ']\n\n']],
  ['a mark between carriage returns', CHAT, ['data: {"choices":[]}\r\rdata: [DONE]\r\r']],
  [
    'the reason of a choice before the count of tokens',
    '/v1/completions?x=1',
    ['data: {"finish_reason":"stop"}\n\n', 'data: {"usage":{}}\n\n'],
  ],
  ['Anthropic’s last event', '/v1/messages', ['event: message_stop\ndata: {"type":"message_stop"}\n\n']],
  [
    'the end of a response that repeats a long answer',
    '/v1/_service/llm/v1/responses',
    ['event: response.comp', `leted\ndata: {"type":"response.completed","response":"${'x'.repeat(100_000)}"}\n\n`],
  ],
  ['an error event', '/v1/messages', ['event: error\ndata: {"error":{}}\n\n']],
  ['an error in an event', CHAT, ['data: {"error":{"message":"engine died"}}\n\n']],
  ['a mark behind a long answer', CHAT, ['x'.repeat(100_000), '\n\ndata: [DONE]\n\n']],
])('a stream that ends with %s is complete', (_name, path, pieces) => {
  expect(faultOf(pieces, { path })).toBeUndefined()
})

test.each<[string, string, Framing, string, string]>([
  [
    ...(['a count of tokens', CHAT, 'sse'] as const),
    'data: {"choices":[{"finish_reason":"stop"}]}\n\n',
    'data: {"choices":[],"usage":{"total_tokens":7}}\n\n',
  ],
  [
    ...(['the last event', '/v1/messages', 'sse'] as const),
    'event: message_stop\r\ndata: {"type":"message_stop"}\r\n\r\n',
    'event: ping\r\ndata: {"type":"ping"}\r\n\r\n',
  ],
  [...(['a line', '/api/chat', 'ndjson'] as const), '{"done":true}\n', '{"done":true,"total":7}\n'],
])(
  'a stream that is cut inside %s behind its mark was broken off, wherever that is',
  (_name, path, framing, marked, more) => {
    for (let length = 0; length <= more.length; length += 1) {
      const left = more.slice(0, length)
      const isWhole = length === 0 || left.trimEnd() === more.trimEnd()
      expect([left, faultOf([marked, left], { path, framing })]).toEqual([left, isWhole ? undefined : INSIDE])
    }
  },
)

test.each([
  ['nothing at all', CHAT, []],
  ['a choice that has not ended', CHAT, ['data: {"choices":[{"finish_reason":null}]}\n\n']],
  ['a mark that is far from the end', CHAT, ['data: [DONE]\n\n', `data: ${'x'.repeat(100_000)}\n\n`]],
  ['the text of a mark in what it says', CHAT, ['data: {"choices":[{"delta":{"content":"data: [DONE]"}}]}\n\n']],
  ['the mark of another interface', '/v1/messages', ['data: {"finish_reason":"stop"}\n\n']],
])('a stream that ends with %s was broken off', (_name, path, pieces) => {
  expect(faultOf(pieces, { path })).toBe(NO_MARK)
})

test('a stream of an interface that has no mark may end without, unless its server usually sends one', () => {
  const pieces = ['data: {"audio":"AAAA"}\n\n']
  expect(faultOf(pieces, { path: UNKNOWN })).toBeUndefined()
  expect(faultOf(pieces, { path: UNKNOWN, isUsual: () => false })).toBe(NO_MARK)
})

test('a stream that ends inside an event was broken off, whatever it is a stream of', () => {
  expect(faultOf(['data: 1\n\ndata: {"aud'], { path: UNKNOWN })).toBe(INSIDE)
  expect(faultOf(['data: 1\n\n: a comment'], { path: UNKNOWN })).toBeUndefined()
})

test('a stream of Ollama is complete with its last line or an error, and broken off before', () => {
  const lines = ['{"response":"a","done":false}\n', '{"response":"","done":true}\n']
  const ollama = { path: '/api/generate', framing: 'ndjson' } as const
  expect(faultOf(lines, ollama)).toBeUndefined()
  expect(faultOf(lines.slice(0, 1), ollama)).toBe(NO_MARK)
  expect(faultOf(['{"response":"a","done":false}\n{"resp'], ollama)).toBe(INSIDE)
  expect(faultOf(['{"response":"a","done":false}\n{"error":"out of memory"}\n'], ollama)).toBeUndefined()
})

test('whether a stream is complete does not depend on how it is cut into pieces', () => {
  const whole = readFileSync(join(CASES, '10-no-done.sse'), 'utf8')
  const broken = readFileSync(join(CASES, '11-http10-truncated.answer'), 'utf8').split('\r\n\r\n')[1] ?? ''
  fc.assert(
    fc.property(
      fc.constantFrom(whole, broken),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (text, cuts) => {
        const pieces: string[] = []
        for (let at = 0, turn = 0; at < text.length; turn += 1) {
          const size = cuts[turn % cuts.length] ?? 1
          pieces.push(text.slice(at, at + size))
          at += size
        }
        expect(faultOf(pieces)).toBe(text === whole ? undefined : INSIDE)
      },
    ),
  )
})
