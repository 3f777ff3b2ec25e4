import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModelFacts } from '#shared/model-facts.js'
import { JsonObjectBytes } from '../../../../../src-main/base/json/object.js'
import { fitOf, nobodyTakes } from '../../../../../src-main/gateway/routing/eligibility/eligibility.js'
import { needsOf, type RequestNeeds } from '../../../../../src-main/gateway/routing/eligibility/request-needs.js'
import { TokenSizes } from '../../../../../src-main/gateway/routing/eligibility/token-sizes.js'

const CHAT = '/v1/chat/completions'
const needs = (request: object, path = CHAT): RequestNeeds =>
  needsOf(path, JsonObjectBytes.from(Buffer.from(JSON.stringify(request))))
const user = (content: unknown): object => ({ model: 'm', messages: [{ role: 'user', content }] })
const NOTHING = needs(user('hello'))

describe('what a request needs', () => {
  test.each<[string, object, string]>([
    ['OpenAI’s chat', user([{ type: 'image_url', image_url: { url: 'data:' } }]), CHAT],
    ['OpenAI’s responses', { input: [{ content: [{ type: 'input_image' }] }] }, '/v1/responses'],
    ['Anthropic’s messages', user([{ type: 'image', source: {} }]), '/v1/messages'],
    ['Ollama’s chat', { messages: [{ role: 'user', content: 'see', images: ['aGk='] }] }, '/api/chat'],
    ['Ollama’s generate', { prompt: 'see', images: ['aGk='] }, '/api/generate'],
  ])('an image is seen in %s, whose bytes then say nothing of its tokens', (_what, request, path) => {
    expect(needs(request, path)).toMatchObject({ hasImages: true, isMixed: true })
  })

  test('a person who writes about images sends none', () => {
    const written = 'say {"type":"image_url"} and "images", "input_audio" or "type": "image"'
    expect(needs(user(written))).toMatchObject({ hasImages: false, isMixed: false })
    expect(needs(user(written), '/api/chat')).toMatchObject({ hasImages: false, isMixed: false })
  })

  test('tools are seen where there are some', () => {
    expect(needs({ ...user(''), tools: [{ type: 'function', function: { name: 'f' } }] }).hasTools).toBe(true)
    expect(needs({ ...user(''), tools: [] }).hasTools).toBe(false)
    expect(needs({ ...user(''), tools: null }).hasTools).toBe(false)
  })

  test('the path says what kind of model is asked', () => {
    const paths = [CHAT, '/v1/embeddings?x=1', '/api/embed', '/v1/rerank', '/v1/audio/speech', '/v1/images/edits', '/x']
    const kinds = ['chat', 'embedding', 'embedding', 'rerank', 'audio', 'image', undefined]
    expect(paths.map((path) => needs(user(''), path).kind)).toEqual(kinds)
  })

  test('the bound on the answer is read in every interface', () => {
    expect(needs({ ...user(''), max_tokens: 900 }).answerTokens).toBe(900)
    expect(needs({ ...user(''), max_completion_tokens: 901 }).answerTokens).toBe(901)
    expect(needs({ input: 'a', max_output_tokens: 902 }, '/v1/responses').answerTokens).toBe(902)
    expect(needs({ ...user(''), options: { num_predict: 903 } }, '/api/chat').answerTokens).toBe(903)
    expect(needs({ ...user(''), max_tokens: 'many' }).answerTokens).toBe(0)
  })
})

describe('who can take a request', () => {
  const range = (tokens: number) => ({ least: tokens / 2, likely: tokens, most: 2 * tokens })

  test('nothing known is no obstacle', () => {
    expect(fitOf({ needs: NOTHING, tokens: range(1e6) }, undefined)).toBe('yes')
    expect(fitOf({ needs: { ...NOTHING, hasImages: true, hasTools: true }, tokens: range(1e6) }, {})).toBe('yes')
  })

  test.each<[string, Partial<RequestNeeds>, ModelFacts]>([
    ['a chat at a model for embeddings', { kind: 'chat' }, { kind: 'embedding' }],
    ['embeddings at a reranker', { kind: 'embedding' }, { kind: 'rerank' }],
    ['tools at a model that has none', { hasTools: true }, { capabilities: ['vision'] }],
    ['images at a model that does not see', { hasImages: true }, { capabilities: ['tools'] }],
  ])('%s cannot be', (_what, asked, facts) => {
    expect(fitOf({ needs: { ...NOTHING, ...asked }, tokens: undefined }, facts)).toBe('no')
    expect(fitOf({ needs: { ...NOTHING, kind: facts.kind }, tokens: undefined }, facts)).toBe('yes')
  })

  test('a prompt that is longer than the context for sure cannot be, one that may be, or whose answer may, is doubtful', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 1e6 }),
        fc.nat(1e5),
        (length, context, answerTokens) => {
          const tokens = range(length)
          const fit = fitOf({ needs: { ...NOTHING, answerTokens }, tokens }, { contextTokens: context })
          expect(fit === 'no').toBe(tokens.least > context)
          expect(fit === 'yes').toBe(tokens.most + answerTokens <= context)
        },
      ),
    )
  })

  test('where nobody takes it, the sentence says what to do', () => {
    const tooLong = nobodyTakes('the model "m"', { needs: NOTHING, tokens: range(40_000) }, [
      { contextTokens: 4_096 },
      { contextTokens: 8_192 },
    ])
    expect(tooLong.code).toBe('context_length_exceeded')
    expect(tooLong.message).toMatch(
      /^No provider of the model "m" takes 40,000 tokens; the longest context offered is 8,192\. /,
    )
    const blind = { needs: { ...NOTHING, hasImages: true }, tokens: undefined }
    expect(nobodyTakes('the model "m"', blind, [{ capabilities: ['tools'] }])).toMatchObject({
      code: 'unsupported_request',
      message: expect.stringContaining('takes images') as string,
    })
    expect(nobodyTakes('the model "m"', { needs: NOTHING, tokens: undefined }, [{ kind: 'embedding' }])).toMatchObject({
      code: 'unsupported_request',
      param: 'model',
    })
  })
})

describe('the size of tokens', () => {
  test('is a wide guess until a few answers told it, and a narrow one then, for each model', () => {
    const sizes = new TokenSizes()
    expect(sizes.range('m', 8_000)).toEqual({ least: 1_000, likely: 2_000, most: 4_000 })
    for (let times = 0; times < 20; times += 1) sizes.counted('m', 3_000, 1_000)
    const { least, likely, most } = sizes.range('m', 30_000)
    expect(likely).toBeCloseTo(10_000)
    expect(least).toBeGreaterThan(8_500)
    expect(most).toBeLessThan(11_500)
    expect(sizes.range('n', 8_000).likely).toBe(2_000)
  })

  test('holds what was counted where servers count alike, and no count moves it beyond reason', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 2.2, max: 7.5, noNaN: true }),
        fc.integer({ min: 100, max: 1e6 }),
        (bytesEach, tokens) => {
          const sizes = new TokenSizes()
          for (let times = 0; times < 30; times += 1)
            sizes.counted('m', bytesEach * 1_000 * (1 + times / 30), 1_000 * (1 + times / 30))
          const { least, most } = sizes.range('m', bytesEach * tokens)
          expect(least).toBeLessThanOrEqual(tokens)
          expect(most).toBeGreaterThanOrEqual(tokens)
          for (let times = 0; times < 50; times += 1) sizes.counted('m', 10, 1e9)
          expect(sizes.range('m', 1_000).likely).toBeLessThanOrEqual(500)
        },
      ),
    )
  })
})
