import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseModelList } from '../../../../src-main/services/detection/model-list.js'

const read = (value: unknown) => parseModelList(JSON.stringify(value))

test('the lists of the usual servers are read', () => {
  const data = [
    { id: 'a', object: 'model', created: 1_700_000_000, owned_by: 'vllm', max_model_len: 4096 },
    { id: 'b', owned_by: 'llamacpp', meta: { n_ctx_train: 8192 } },
    { id: 'c', max_context_length: 32_768 },
    { id: 'd', created: 'yesterday', owned_by: null, meta: null },
    { id: 'e-Q4_K_M.gguf', size: 2.5 },
    { id: 'f', quantization: 'AWQ', meta: { size: 360_000_000, n_params: 361_820_000 } },
    { id: 'g', meta: { n_ctx: 2048, n_ctx_train: 32_768 } },
  ]

  expect(read({ object: 'list', data })).toEqual({
    unreadable: 0,
    isGateway: false,
    models: [
      { id: 'a', ownedBy: 'vllm', created: 1_700_000_000, contextLength: 4096 },
      { id: 'b', ownedBy: 'llamacpp', created: undefined, contextLength: 8192 },
      { id: 'c', ownedBy: undefined, created: undefined, contextLength: 32_768 },
      { id: 'd', ownedBy: undefined, created: undefined, contextLength: undefined },
      { id: 'e-Q4_K_M.gguf', quantisation: 'Q4_K_M', sizeBytes: 2_500_000_000 },
      { id: 'f', quantisation: 'AWQ', sizeBytes: 360_000_000, parameters: '362M' },
      { id: 'g', contextLength: 2048 },
    ],
  })
})

test('what the engine measured is read with its list, and a figure that can’t be is left out', () => {
  const speed = { promptMsPer1000: 900, tokensPerS: 20 }
  const data = [
    { id: 'a', owned_by: 'ocf-engine', speed },
    { id: 'b', speed: { ...speed, tokensPerS: 0 } },
  ]
  expect(read({ data })?.models).toMatchObject([{ id: 'a', speed }, { id: 'b' }])
  expect(read({ data })?.models[1]).not.toHaveProperty('speed')
  expect(read([{ id: 'a' }])?.models).toHaveLength(1)
})

test('a server without a model is a model server nevertheless', () => {
  expect(read({ object: 'list', data: [] })).toEqual({ models: [], unreadable: 0, isGateway: false })
  expect(read({ object: 'list', data: null })).toEqual({ models: [], unreadable: 0, isGateway: false })
})

test('odd entries are counted and do not hide the good ones', () => {
  expect(read({ data: [{ id: 'a' }, { name: 'b' }, null, 7, { id: 8 }, { id: '' }] })).toMatchObject({
    models: [{ id: 'a' }],
    unreadable: 5,
  })
})

test.each(['', '<html>', '{}', '"x"', 'null', '{"error":"Unexpected endpoint"}', '{"data":{}}', '{"data":null}'])(
  '%s is no list of models',
  (body) => {
    expect(parseModelList(body)).toBeUndefined()
  },
)

test('whatever a server answers, reading it never throws', () => {
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (body) => void parseModelList(body)))
})

test('the list of a gateway is known as such', () => {
  const entry = { id: 'a', ocf: { providers: 1, local: false, servers: ['12D3KooW'] } }
  expect(read({ object: 'list', data: [{ id: 'b' }, entry] })).toMatchObject({ isGateway: true })
})

test.each([
  ['LiteLLM’s proxy', 1_677_610_602],
  ['One API', 1_626_777_600],
])('the list of %s, which says nothing else of itself, is known as that of a gateway', (_name, stamp) => {
  const entry = (id: string, created = stamp) => ({ id, object: 'model', created, owned_by: 'openai' })
  expect(read({ object: 'list', data: [entry('gpt-4o'), entry('loopy')] })).toMatchObject({ isGateway: true })
  expect(read({ object: 'list', data: [entry('a'), entry('b', 1)] })).toMatchObject({ isGateway: false })
})
