import { expect, test } from 'vitest'
import { factsIn, FactsRecordsSchema } from '#shared/model-facts.js'
import type { LocalModel, LocalService } from '../../../../src-main/services/index.js'
import { toServiceRecords } from '../../../../src-main/services/registry/announcer.js'
import { factsOf } from '../../../../src-main/services/registry/model-facts.js'
import { seenBy } from '../../../../src-main/services/registry/visibility.js'

const HARDWARE = { gpus: [], host_memory: 0, host_memory_bandwidth: 0, host_memory_used: 0 }

const model = (id: string, more: Partial<LocalModel> = {}): LocalModel => ({
  ...{ id, ownedBy: 'library', created: 1_731_000_000, contextLength: 8192 },
  facts: {
    ...{ parameters: '3.2B', quantization: 'Q4_K_M', family: 'llama', sizeBytes: 2_019_393_189, format: 'gguf' },
    ...{
      digest: 'a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72',
      capabilities: ['completion', 'tools'],
    },
  },
  ...more,
})

const service = (models: LocalModel[], changes: Partial<LocalService> = {}): LocalService => ({
  ...{ id: 'llm@127.0.0.1:1', name: 'llm', host: '127.0.0.1', port: 1, status: 'connected' },
  ...{ identityGroups: models.map(({ id }) => `model=${id}`), published: true, visibility: 'everyone' },
  ...{ visibilities: new Map(), sharedPaths: [], serverModelIds: new Map(), models, problem: undefined },
  ...changes,
})

test('facts of models stand in the record and come out of it as they went in, the digest shortened', () => {
  const { records } = toServiceRecords([service([model('llama3.2:latest')])], HARDWARE)
  expect(factsIn(records).get('llama3.2:latest')).toEqual({
    ...{ kind: 'chat', contextTokens: 8192, parameters: '3.2B', quantization: 'Q4_K_M', family: 'llama' },
    ...{ sizeBytes: 2_019_393_189, digest: 'a80c4f17acd55265', capabilities: ['tools'], createdAt: 1_731_000_000 },
  })
})

test('a measured speed goes round with the model; one that can’t be is left out, and never the other facts', () => {
  const speed = { promptMsPer1000: 1900.5, tokensPerS: 21.3 }
  const facts = { parameters: '3.2B', speed }
  const { records } = toServiceRecords([service([model('fast', { facts })])], HARDWARE)
  expect(factsIn(records).get('fast')).toMatchObject(facts)
  for (const odd of [{ ...speed, tokensPerS: -1 }, { ...speed, promptMsPer1000: 1e12 }, { tokensPerS: 5 }, 'fast']) {
    const told = FactsRecordsSchema.parse([{ model: 'fast', parameters: '3.2B', speed: odd }])
    expect(told).toEqual([{ model: 'fast', parameters: '3.2B' }])
  }
})

test('facts take only what room the names of models leave, and never more than a kilobyte', () => {
  const many = (count: number, length: number) =>
    Array.from({ length: count }, (_, index) => model(`${'x'.repeat(length)}${index}`))
  const bytesOf = (models: LocalModel[]): [number, number, number] => {
    const { records, leftOut } = toServiceRecords([service(models), service(models, { port: 2 })], HARDWARE)
    const size = (value: unknown) => Buffer.byteLength(JSON.stringify(value))
    const facts = records.flatMap((record) => record.model_facts ?? [])
    return [size(records.flatMap((record) => record.identity_group)), facts.length === 0 ? 0 : size(facts), leftOut]
  }
  const [, some, none] = bytesOf(many(20, 10))
  expect(none).toBe(0)
  expect(some).toBeGreaterThan(500)
  expect(some).toBeLessThanOrEqual(1024 + 1)
  const [names, left] = bytesOf(many(17, 70))
  expect(names + left).toBeLessThanOrEqual(3 * 1024 + 4)
  const [, crowded, leftOut] = bytesOf(many(100, 80))
  expect([crowded, leftOut > 0]).toEqual([0, true])
})

test('facts of a model that a peer may not see are not told to it', () => {
  const models = [model('open'), model('hidden')]
  const shared = seenBy(service(models, { visibilities: new Map([['hidden', 'me']]) }), 'stranger')!
  const { records } = toServiceRecords([shared], HARDWARE)
  expect([...factsIn(records).keys()]).toEqual(['open'])
})

test.each([
  ['nomic-embed-text:latest', 'embedding'],
  ['BAAI/bge-m3', 'embedding'],
  ['bge-reranker-v2-m3', 'rerank'],
  ['whisper-large-v3', 'audio'],
  ['stable-diffusion-xl', 'image'],
  ['llama3.2:latest', 'chat'],
  ['embedded-llama', 'chat'],
])('a model is known to be what its name or its server says: %s', (id, kind) => {
  expect(factsOf(model(id), { identityGroups: [] }).kind).toBe(kind)
})

test('of a model that no server says anything of nothing is made up', () => {
  const { records } = toServiceRecords(
    [service([model('a', { created: undefined, contextLength: undefined, facts: {} })])],
    HARDWARE,
  )
  expect(records[0]).not.toHaveProperty('model_facts')
})
