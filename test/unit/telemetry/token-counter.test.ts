import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTokenCounter, type TokenCount } from '../../../src-main/telemetry/token-counter.js'
import { heapMiB } from '../../fixtures/heap.js'

const SSE = 'text/event-stream; charset=utf-8'
const JSON_TYPE = 'application/json'
const NDJSON = 'application/x-ndjson'

/** What a counter says of a body that comes in pieces of these sizes (the last one repeated). */
function countOf(contentType: string, body: string, sizes: readonly number[] = [Infinity]): TokenCount | null {
  const counter = createTokenCounter(contentType, undefined)!
  const bytes = Buffer.from(body)
  for (let at = 0, piece = 0; at < bytes.length; piece += 1) {
    const size = sizes[Math.min(piece, sizes.length - 1)]!
    counter.push(bytes.subarray(at, at + size))
    at += size
  }
  return counter.result()
}

const data = (event: object): string => `data: ${JSON.stringify(event)}\n\n`
const chatDelta = (content: string): string =>
  data({ id: 'chatcmpl-1', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] })

const CHAT = [
  data({ id: 'chatcmpl-1', choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }),
  ...['Hello', ' wörld', '!', ' "usage":{"completion_tokens":999}'].map(chatDelta),
  data({ id: 'chatcmpl-1', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
].join('')
const CHAT_USAGE = data({
  choices: [],
  usage: {
    prompt_tokens: 12,
    completion_tokens: 34,
    total_tokens: 46,
    completion_tokens_details: { reasoning_tokens: 3 },
  },
})
const DONE = 'data: [DONE]\n\n'

const ANTHROPIC = [
  ['message_start', { message: { role: 'assistant', content: [], usage: { input_tokens: 25, output_tokens: 1 } } }],
  ['content_block_start', { index: 0, content_block: { type: 'text', text: '' } }],
  ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hello' } }],
  ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: ' there' } }],
  ['content_block_stop', { index: 0 }],
  ['message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 15 } }],
  ['message_stop', {}],
].map(([type, rest]) => `event: ${type as string}\n${data({ type, ...(rest as object) })}`)

const RESPONSES = [
  data({ type: 'response.created', response: { usage: null } }),
  data({ type: 'response.output_text.delta', delta: 'Hi' }),
  data({ type: 'response.output_text.delta', delta: ' you' }),
  data({ type: 'response.output_text.done', text: 'Hi you' }),
]
const RESPONSES_END = data({
  type: 'response.completed',
  response: { output: [{ content: [{ text: 'x'.repeat(200_000) }] }], usage: { input_tokens: 7, output_tokens: 2 } },
})

const OLLAMA = ['Hi', ' you', '!'].map(
  (content) => `${JSON.stringify({ message: { role: 'assistant', content }, done: false })}\n`,
)
const OLLAMA_END = `${JSON.stringify({ message: { content: '' }, done: true, prompt_eval_count: 26, eval_count: 298 })}\n`

const CASES: readonly (readonly [string, string, string, TokenCount | null])[] = [
  ['chat chunks without usage', SSE, CHAT + DONE, { count: 4, from: 'chunks', input: null }],
  ['chat chunks with usage at the end', SSE, CHAT + CHAT_USAGE + DONE, { count: 34, from: 'usage', input: 12 }],
  [
    'pieces of several kinds, some of them empty',
    SSE,
    [...['a', '', 'b', '"', ''].map(chatDelta), data({ choices: [{ delta: { reasoning: 'c', content: '' } }] })].join(
      '',
    ),
    { count: 4, from: 'chunks', input: null },
  ],
  ['a stream that broke off before its usage', SSE, CHAT.slice(0, -20), { count: 4, from: 'chunks', input: null }],
  ['Anthropic’s events', SSE, ANTHROPIC.join(''), { count: 15, from: 'usage', input: 25 }],
  ['OpenAI’s responses, broken off', SSE, RESPONSES.join(''), { count: 2, from: 'chunks', input: null }],
  [
    'OpenAI’s responses with a huge last event',
    SSE,
    RESPONSES.join('') + RESPONSES_END,
    { count: 2, from: 'usage', input: 7 },
  ],
  ['Ollama’s lines', NDJSON, OLLAMA.join('') + OLLAMA_END, { count: 298, from: 'usage', input: 26 }],
  ['Ollama’s lines, broken off', NDJSON, OLLAMA.join(''), { count: 3, from: 'chunks', input: null }],
  [
    'a JSON answer',
    JSON_TYPE,
    JSON.stringify({
      choices: [{ message: { content: '"usage"' } }],
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    }),
    { count: 2, from: 'usage', input: 1 },
  ],
  [
    'a long JSON answer',
    JSON_TYPE,
    JSON.stringify({ data: 'é'.repeat(300_000), usage: { prompt_tokens: 8, total_tokens: 8 } }),
    { count: 0, from: 'usage', input: 8 },
  ],
  ['Ollama’s JSON', JSON_TYPE, OLLAMA_END, { count: 298, from: 'usage', input: 26 }],
  ['JSON without usage', JSON_TYPE, '{"usage":null,"a":"usage"}', null],
  ['events of something else', SSE, ': waiting\n\nevent: tick\ndata: {"n":1}\n\n', null],
  ['usage that is no usage', SSE, 'data: {"usage": {"completion_tokens": -1, "x": {}}}\n\n', null],
  ['usage that is cut off', JSON_TYPE, '{"usage":{"completion_tokens":12', null],
]

describe('a token counter', () => {
  it.each(CASES)('reads %s', (_what, contentType, body, expected) => {
    expect(countOf(contentType, body)).toEqual(expected)
  })

  it.each(CASES.filter(([, , body]) => body.length < 20_000))(
    'reads %s wherever it is cut',
    (_what, type, body, expected) => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 40 }), (sizes) => {
          expect(countOf(type, body, sizes)).toEqual(expected)
        }),
        { numRuns: 60 },
      )
    },
  )

  it.each(CASES.filter(([, , body]) => body.length >= 20_000))(
    'reads %s in pieces of a network',
    (_what, type, body, expected) => {
      for (const size of [1_400, 16_384, 65_536, 70_001]) expect(countOf(type, body, [size])).toEqual(expected)
    },
  )

  it('is not for what can’t be read', () => {
    expect(createTokenCounter('text/event-stream', 'gzip')).toBeUndefined()
    expect(createTokenCounter('audio/mpeg', undefined)).toBeUndefined()
    expect(createTokenCounter(undefined, undefined)).toBeUndefined()
    expect(createTokenCounter('application/json', 'identity')).toBeDefined()
  })

  it('can be asked at any time and goes on', () => {
    const counter = createTokenCounter(SSE, undefined)!
    const [first, rest] = [CHAT.slice(0, 700), CHAT.slice(700)]
    counter.push(Buffer.from(first))
    counter.result()
    counter.push(Buffer.from(rest))
    expect(counter.result()).toEqual({ count: 4, from: 'chunks', input: null })
  })

  it('keeps little of a line that never ends', () => {
    const counter = createTokenCounter(SSE, undefined)!
    const piece = Buffer.from('x'.repeat(50_000))
    const before = heapMiB()
    for (let i = 0; i < 2_000; i++) counter.push(piece)
    expect(heapMiB() - before).toBeLessThan(20)
    expect(counter.result()).toBeNull()
  })

  it('counts a very long answer without a growing effort for each chunk', () => {
    const counter = createTokenCounter(SSE, undefined)!
    const chunk = Buffer.from(chatDelta('token'))
    // Work that grew with what was counted before would outlast the test's time limit.
    for (let i = 0; i < 100_000; i++) counter.push(chunk)
    expect(counter.result()).toMatchObject({ count: 100_000, from: 'chunks' })
  })
})
