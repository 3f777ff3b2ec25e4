import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonObjectBytes } from '../../../../../src-main/base/json/object.js'
import { lowerTokens, withoutDoubles } from '../../../../../src-main/services/sharing/access/index.js'

const bodyOf = (value: object): JsonObjectBytes => JsonObjectBytes.from(Buffer.from(JSON.stringify(value)))
const valueOf = (body: JsonObjectBytes): object => JSON.parse(body.bytes.toString()) as object

const CHAT = '/v1/chat/completions'

test.each<[string, string, object, object]>([
  ['more than allowed', CHAT, { max_tokens: 5000 }, { max_tokens: 100 }],
  ['less than allowed', CHAT, { max_tokens: 5 }, { max_tokens: 5 }],
  ['no number', CHAT, {}, { max_tokens: 100 }],
  ['the newer name', CHAT, { max_completion_tokens: 5000 }, { max_completion_tokens: 100 }],
  ['both names', CHAT, { max_tokens: 1, max_completion_tokens: 5000 }, { max_tokens: 1, max_completion_tokens: 100 }],
  ['without end', CHAT, { max_tokens: -1 }, { max_tokens: 100 }],
  ['null', CHAT, { max_tokens: null }, { max_tokens: 100 }],
  ['a text', CHAT, { max_tokens: '999999' }, { max_tokens: 100 }],
  ['a server’s own name', CHAT, { n_predict: 5000 }, { n_predict: 100 }],
  ['a least number', CHAT, { min_tokens: 5000 }, { min_tokens: 100, max_tokens: 100 }],
  ['several answers', CHAT, { n: 10 }, { n: 10, max_tokens: 10 }],
  ['several prompts', '/v1/completions', { prompt: ['a', 'b'] }, { prompt: ['a', 'b'], max_tokens: 50 }],
  ['a prompt of tokens', '/v1/completions', { prompt: [1, 2] }, { prompt: [1, 2], max_tokens: 100 }],
  ['responses', '/v1/responses', {}, { max_output_tokens: 100 }],
  ['Ollama', '/api/chat', {}, { options: { num_predict: 100 } }],
  [
    'Ollama without end',
    '/api/generate',
    { options: { num_predict: -1, seed: 1 } },
    { options: { num_predict: 100, seed: 1 } },
  ],
  ['embeddings', '/v1/embeddings', { input: 'x' }, { input: 'x' }],
])('%s', (_, path, body, expected) => {
  expect(valueOf(lowerTokens(path, bodyOf(body), 100))).toEqual(expected)
})

test('what a server that ignores case reads is never more than the limit', () => {
  const name = fc.constantFrom('max_tokens', 'Max_Tokens', 'MAX_TOKENS', 'max_to\u212aens', 'num_predict', 'n')
  const value = fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.string(), fc.constant(null))
  fc.assert(
    fc.property(fc.dictionary(name, value), fc.integer({ min: 1, max: 1000 }), (body, limit) => {
      const sent = lowerTokens(CHAT, withoutDoubles(bodyOf(body)), limit)
      for (const [key, given] of Object.entries(valueOf(sent))) {
        const read = key.toLowerCase().replaceAll('\u212a', 'k')
        if (read === 'n') continue
        expect(typeof given === 'number' && given >= 0 && given <= limit, `${key}: ${String(given)}`).toBe(true)
      }
    }),
  )
})

test('doubles of deciding names are dropped, everything else stays', () => {
  const body = bodyOf({ model: 'a', Model: 'b', Temperature: 1, options: { Num_Predict: 9, seed: 2 } })
  expect(valueOf(withoutDoubles(body))).toEqual({
    model: 'a',
    Temperature: 1,
    options: { seed: 2 },
  })
})

test('what is within the limit stays byte for byte, numbers of any size beside it too', () => {
  const text = '{"seed": 18446744073709551615, "max_tokens": 1e1, "x": 1.0}'
  expect(lowerTokens(CHAT, JsonObjectBytes.from(Buffer.from(text)), 100).bytes.toString()).toBe(text)
})

test.each(['{"max_tokens":1,"max_tokens":9999}', '{"options":{"num_predict":1,"num_predic\\u0074":9999}}'])(
  'a deciding field that stands there twice is refused: %s',
  (text) => {
    expect(() => withoutDoubles(JsonObjectBytes.from(Buffer.from(text)))).toThrow(
      expect.objectContaining({ code: 'invalid_request' }) as Error,
    )
  },
)
