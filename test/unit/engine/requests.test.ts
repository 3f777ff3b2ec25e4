import { describe, expect, test } from 'vitest'
import type { Sequence, Token } from '../../../src-main/engine/worker/library.js'
import {
  readChatRequest,
  readCompletionRequest,
  readEmbeddingRequest,
} from '../../../src-main/engine/worker/requests.js'
import { SlotPool } from '../../../src-main/engine/worker/slots.js'

const chat = (more: object): ReturnType<typeof readChatRequest> =>
  readChatRequest({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...more })

describe('a request as the engine takes it', () => {
  test('what tools gave stands with the call, and the answer to be written comes last', () => {
    const { history } = chat({
      messages: [
        { role: 'system', content: 'Be short.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Weather in ' },
            { type: 'text', text: 'Paris?' },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c1', function: { name: 'weather', arguments: '{"city":"Paris"}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: '{"celsius":21}' },
      ],
    })
    expect(history).toEqual([
      { type: 'system', text: 'Be short.' },
      { type: 'user', text: 'Weather in Paris?' },
      {
        type: 'model',
        response: [{ type: 'functionCall', name: 'weather', params: { city: 'Paris' }, result: { celsius: 21 } }],
      },
    ])
    expect(chat({}).history.at(-1)).toEqual({ type: 'model', response: [] })
  })

  test('tools, formats and limits are read', () => {
    const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }]
    expect(chat({ tools, parallel_tool_calls: false })).toMatchObject({
      functions: { weather: { params: { type: 'object' } } },
      maxParallelCalls: 1,
    })
    expect(chat({ tools, tool_choice: 'none' }).functions).toBeUndefined()
    expect(chat({ max_completion_tokens: 7, stop: 'END', seed: 3, top_p: 0.5 })).toMatchObject({
      ...{ maxTokens: 7, stop: ['END'] },
      sampling: { temperature: 0.8, seed: 3, topP: 0.5, repeatPenalty: false },
    })
    expect(readCompletionRequest({ model: 'm', prompt: ['Once'], stream: true })).toMatchObject({
      prompt: 'Once',
      stream: true,
    })
    expect(readEmbeddingRequest({ model: 'm', input: 'a', encoding_format: 'base64' })).toEqual({
      model: 'm',
      input: ['a'],
      base64: true,
    })
  })

  test.each([
    ['a tool that must be called', { tool_choice: 'required' }, 'unsupported_request'],
    ['log probabilities', { logprobs: true }, 'unsupported_request'],
    [
      'a picture',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      'unsupported_request',
    ],
    ['several choices', { n: 2 }, 'invalid_request'],
    ['no messages', { messages: [] }, 'invalid_request'],
    ['no model', { model: undefined }, 'missing_model'],
  ])('%s is refused', (_what, more, code) => {
    expect(() => chat(more)).toThrow(expect.objectContaining({ code }) as Error)
  })
})

describe('slots', () => {
  const tokens = (...values: number[]): Token[] => values as Token[]
  /** A conversation that has read those tokens. */
  function sequence(...read: number[]): Sequence {
    const fake: Partial<Sequence> = {
      nextTokenIndex: read.length,
      compareContextTokens(asked) {
        const differs = read.findIndex((token, index) => token !== asked[index])
        return { firstDifferentIndex: differs === -1 ? read.length : differs }
      },
    }
    return fake as Sequence
  }
  const alive = new AbortController().signal

  test('a request gets the one that has read the longest beginning of it, else the emptiest', async () => {
    const [empty, some, more] = [sequence(), sequence(1, 2), sequence(1, 2, 3, 9)]
    const pool = new SlotPool([more, some, empty], 0)
    const first = await pool.acquire(tokens(1, 2, 3, 4), alive)
    expect(first).toMatchObject({ sequence: more, cachedTokens: 3 })
    expect((await pool.acquire(tokens(7, 8), alive)).sequence).toBe(empty)
    expect([pool.total, pool.busy]).toEqual([3, 2])
  })

  test('who comes too late waits in turn, is refused when too many wait, and leaves the queue when it goes', async () => {
    const pool = new SlotPool([sequence()], 2)
    const slot = await pool.acquire(tokens(1), alive)
    const leaving = new AbortController()
    const left = pool.acquire(tokens(2), leaving.signal)
    const waiting = pool.acquire(tokens(3), alive)
    await expect(pool.acquire(tokens(4), alive)).rejects.toMatchObject({ code: 'provider_busy' })
    leaving.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    slot.release()
    slot.release()
    const next = await waiting
    expect([pool.busy, pool.waiting]).toEqual([1, 0])
    next.release()
    expect(pool.busy).toBe(0)
  })
})
