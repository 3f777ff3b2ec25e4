import { expect, test } from 'vitest'
import { AppError, toWireError } from '#shared/errors.js'
import { errorBody, errorEvent, modelApiOf } from '../../../../src-main/gateway/listener/model-api.js'

const ANTHROPIC = { 'anthropic-version': '2023-06-01' }

test.each([
  ['/v1/chat/completions', {}, 'openai'],
  ['/v1/messages', {}, 'anthropic'],
  ['/v1/messages/count_tokens?x=1', {}, 'anthropic'],
  ['/v1/messagesx', {}, 'openai'],
  ['/v1/models', {}, 'openai'],
  ['/v1/models?limit=1', ANTHROPIC, 'anthropic'],
  ['/v1/models/m', ANTHROPIC, 'anthropic'],
  ['/v1/chat/completions', ANTHROPIC, 'openai'],
  ['/api/chat', {}, 'ollama'],
  ['/v1/service/llm/v1/messages', {}, 'anthropic'],
  ['/v1/_service/llm/api/chat', {}, 'ollama'],
  ['/v1/p2p/12D3KooW/v1/_service/llm/api/chat', {}, 'ollama'],
  ['/v1/_service/other/api/chat', {}, 'openai'],
] as const)('the interface of %s with %o is that of %s', (url, headers, api) => {
  expect(modelApiOf(url, headers)).toBe(api)
})

const bodyOf = (api: Parameters<typeof errorBody>[0], error: AppError): object =>
  errorBody(api, error.status, toWireError(error, 'r1'))

test('an error has the shape that clients of its interface read, and its code in all of them', () => {
  const error = new AppError('model_not_found', 'Nobody offers it.', { param: 'model' })
  expect(bodyOf('openai', error)).toMatchObject({ error: { type: 'invalid_request_error', code: 'model_not_found' } })
  expect(bodyOf('anthropic', error)).toEqual({
    type: 'error',
    error: expect.objectContaining({
      type: 'not_found_error',
      code: 'model_not_found',
      message: 'Nobody offers it.',
    }) as object,
    request_id: 'r1',
  })
  expect(bodyOf('ollama', error)).toMatchObject({ error: 'Nobody offers it.', code: 'model_not_found' })
})

test.each([
  ['invalid_json', 'invalid_request_error'],
  ['unauthorized', 'authentication_error'],
  ['path_not_shared', 'permission_error'],
  ['body_too_large', 'request_too_large'],
  ['provider_busy', 'rate_limit_error'],
  ['no_provider', 'overloaded_error'],
  ['upstream_timeout', 'timeout_error'],
  ['upstream_failed', 'api_error'],
  ['internal', 'api_error'],
] as const)('to Anthropic’s clients %s is %s', (code, type) => {
  expect(bodyOf('anthropic', new AppError(code, 'x'))).toMatchObject({ error: { type } })
})

test('the last words of a stream have its framing', () => {
  expect(errorEvent('sse', { error: 'x' })).toBe('event: error\ndata: {"error":"x"}\n\n')
  expect(errorEvent('ndjson', { error: 'x' })).toBe('{"error":"x"}\n')
})
