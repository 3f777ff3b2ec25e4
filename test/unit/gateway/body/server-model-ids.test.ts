import { describe, expect, test } from 'vitest'
import { JsonObjectBytes } from '../../../../src-main/base/json/object.js'
import type { RequestBody } from '../../../../src-main/gateway/body/request-body.js'
import { withServerModelId } from '../../../../src-main/gateway/body/server-model-ids.js'
import type { LocalService } from '../../../../src-main/services/index.js'

const service = (ids: [string, string][]): LocalService => ({
  id: 'llm@localhost:1',
  name: 'llm',
  host: 'localhost',
  port: 1,
  status: 'connected',
  identityGroups: [],
  published: true,
  visibility: 'everyone',
  visibilities: new Map(),
  sharedPaths: [],
  serverModelIds: new Map(ids),
  models: [],
  problem: undefined,
})

const bodyOf = (value: Record<string, unknown>) => {
  const json = JsonObjectBytes.from(Buffer.from(JSON.stringify(value, null, 2)))
  return { kind: 'read' as const, json, bytes: json.bytes }
}

test('the published name becomes the server’s own, the rest stays', () => {
  const value = { model: 'llama', messages: [{ role: 'user', content: 'Grüße' }], seed: 1 }
  const body = bodyOf(value)
  const own = withServerModelId(body, service([['llama', '/models/llama.gguf']]))
  expect(own.kind === 'read' && JSON.parse(own.bytes.toString())).toEqual({ ...value, model: '/models/llama.gguf' })
  expect(body.json.text('model')).toBe('llama')
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

describe('a form', () => {
  const file = (content: string) =>
    `--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n${content}\r\n`
  const field = (name: string, value: string) =>
    `--B\r\nContent-Disposition: form-data; name=${name}\r\n\r\n${value}\r\n`
  const END = '--B--\r\n'
  const formBody = (text: string, model = 'whisper'): RequestBody & { kind: 'read' } => ({
    ...{ kind: 'read', bytes: Buffer.from(text), form: { model, parts: [] } },
  })
  const whisper = service([['whisper', '/models/whisper large.bin']])
  const bytesOf = (body: RequestBody): string => (body.kind === 'read' ? body.bytes.toString() : body.kind)

  test.each(['"model"', 'model'])('has its name replaced and every other byte kept (name=%s)', (name) => {
    // A file that looks like the field stays what it is.
    const sound = `RIFF\0 name="model"\r\n\r\nwhisper\r\n--A\r\n whisper`
    const before = file(sound) + field('"prompt"', 'whisper')
    const after = field('"language"', 'en') + END
    const own = withServerModelId(formBody(before + field(name, 'whisper') + after), whisper)
    expect(bytesOf(own)).toBe(before + field(name, '/models/whisper large.bin') + after)
  })

  test.each([
    ['another model', field('"model"', 'other') + END],
    ['no such field', field('"models"', 'whisper') + field('"x"; x="y"', 'whisper') + END],
    ['a form cut short', field('"model"', 'whisper').slice(0, -2)],
    ['no form at all', 'whisper'],
    ['nothing', ''],
  ])('is left alone: %s', (_, text) => {
    expect(bytesOf(withServerModelId(formBody(text), whisper))).toBe(text)
  })
})
