import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonObjectBytes } from '../../../../../src-main/base/json/object.js'
import {
  isOwnersMember,
  missingQuestion,
  withoutOwnersOptions,
} from '../../../../../src-main/services/sharing/access/index.js'

const bodyOf = (text: string): JsonObjectBytes => JsonObjectBytes.from(Buffer.from(text))
const without = (text: string): string => withoutOwnersOptions(bodyOf(text)).bytes.toString()

describe('what is for the owner of a server alone to set', () => {
  test.each([
    ['Ollama', '{"model":"m","keep_alive":-1}', '{"model":"m"}'],
    ['Ollama, in another case', '{"model":"m","Keep_Alive":"24h","keep_a\u006cive":0}', '{"model":"m"}'],
    [
      'Ollama, what it loads the model with',
      '{"model":"m","options":{"num_ctx":1000000,"seed":1.0,"num_gpu":0,"Main_GPU":1,"use_mlock":true}}',
      '{"model":"m","options":{"seed":1.0}}',
    ],
    [
      'llama.cpp',
      '{"id_slot":3,"model":"m","lora":[{"id":0,"scale":9}],"cache_prompt":true}',
      '{"model":"m","cache_prompt":true}',
    ],
    [
      'vLLM',
      '{"model":"m","priority":-9,"kv_transfer_params":{"remote_host":"x"},"request_id":"a","top_k":5}',
      '{"model":"m","top_k":5}',
    ],
    [
      'SGLang',
      '{"lora_path":"/etc","session_params":{},"rid":"a","custom_logit_processor":"x","bootstrap_host":"x"}',
      '{}',
    ],
    ['LM Studio', '{"model":"m","ttl":999999,"draft_model":"other"}', '{"model":"m"}'],
    ['LocalAI', '{"model":"m","backend":"other"}', '{"model":"m"}'],
    ['TGI and LMDeploy', '{"adapter_id":"x","session_id":7,"model":"m"}', '{"model":"m"}'],
  ])('is left out of a peer’s request: %s', (_, text, expected) => {
    expect(without(text)).toBe(expected)
  })

  test('is all that is left out: every other byte stays', () => {
    const text =
      '{ "model" : "m", "seed": 18446744073709551615, "messages":[{"keep_alive":1}] ,"options": {"stop":["ttl"]} }'
    expect(without(text)).toBe(text)
  })

  test('is found among the fields of a form as well', () => {
    expect(['ttl', 'Backend', 'file', 'model', 'prompt'].filter(isOwnersMember)).toEqual(['ttl', 'Backend'])
  })

  test('never stands in what is sent, whatever a peer writes', () => {
    const name = fc.constantFrom(
      'keep_alive',
      'KEEP_ALIVE',
      '\u212aeep_alive',
      'ttl',
      'id_\u017flot',
      'priority',
      'num_ctx',
      'seed',
    )
    const value = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.dictionary(name, fc.integer()))
    const member = fc.tuple(fc.oneof(name, fc.constant('options')), value)
    fc.assert(
      fc.property(fc.array(member, { maxLength: 6 }), (members) => {
        fc.pre(members.filter(([key]) => key === 'options').length < 2)
        const text = `{${members.map(([key, given]) => `${JSON.stringify(key)}:${JSON.stringify(given)}`).join()}}`
        const sent = JSON.parse(without(text)) as Record<string, unknown>
        const kept = members.map(([key]) => key).filter((key) => ['options', 'seed', 'num_ctx'].includes(key))
        expect(Object.keys(sent).sort()).toEqual([...new Set(kept)].sort())
        expect(Object.keys(Object(sent['options']) as object)).not.toContain('num_ctx')
      }),
    )
  })
})

test.each([
  ['/api/chat', '{"model":"m"}', 'messages'],
  ['/api/chat', '{"model":"m","messages":[ ]}', 'messages'],
  ['/api/chat', '{"model":"m","messages":null}', 'messages'],
  ['/api/chat', '{"model":"m","messages":[{"role":"user","content":"a"}]}', undefined],
  ['/api/generate', '{"model":"m"}', 'prompt'],
  ['/api/generate', '{"model":"m","prompt":""}', 'prompt'],
  ['/api/generate', '{"model":"m","prompt":" "}', undefined],
  ['/api/generate', `{"model":"m","prompt":"${'long '.repeat(10_000)}"}`, undefined],
  ['/api/embed', '{"model":"m","input":[]}', 'input'],
  ['/api/embed', '{"model":"m","input":["a"]}', undefined],
  ['/v1/completions', '{"model":"m","prompt":""}', 'prompt'],
  ['/v1/chat/completions', '{"model":"m"}', undefined],
])('a request that would only load or unload a model lacks its question: %s %.50s', (path, text, expected) => {
  expect(missingQuestion(path, bodyOf(text))).toBe(expected)
})
