import { expect, test } from 'vitest'
import { withServerModelId } from '../../../../src-main/gateway/forward/server-model-id.js'
import type { LocalService } from '../../../../src-main/services/index.js'

const service = (ids: [string, string][]): LocalService => ({
  id: 'llm@localhost:1',
  name: 'llm',
  host: 'localhost',
  port: 1,
  status: 'connected',
  identityGroups: [],
  published: true,
  sharedPaths: [],
  serverModelIds: new Map(ids),
  models: [],
  problem: undefined,
})

const bodyOf = (json: Record<string, unknown>) => ({
  kind: 'read' as const,
  json,
  bytes: Buffer.from(JSON.stringify(json, null, 2)),
})

test('the published name becomes the server’s own, the rest stays', () => {
  const body = bodyOf({ model: 'llama', messages: [{ role: 'user', content: 'Grüße' }], seed: 1 })
  const own = withServerModelId(body, service([['llama', '/models/llama.gguf']]))
  expect(own.kind === 'read' && JSON.parse(own.bytes.toString())).toEqual({ ...body.json, model: '/models/llama.gguf' })
  expect(body.json['model']).toBe('llama')
})

test('a body that needs no change is the same object', () => {
  const body = bodyOf({ model: 'llama' })
  expect(withServerModelId(body, service([]))).toBe(body)
  expect(withServerModelId(body, service([['other', 'x']]))).toBe(body)
  expect(withServerModelId(body, service([['llama', 'llama']]))).toBe(body)
  const odd = bodyOf({ model: 5 })
  expect(withServerModelId(odd, service([['5', 'x']]))).toBe(odd)
  expect(withServerModelId({ kind: 'none' }, service([['llama', 'x']]))).toEqual({ kind: 'none' })
})
