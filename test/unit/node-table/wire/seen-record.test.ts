import { expect, test } from 'vitest'
import { type PeerRecord, PeerSchema } from '#shared/records.js'
import { asSeen, MAX_ENTRIES_PER_ROW } from '../../../../src-main/node-table/wire/seen-record.js'
import { recordOffering } from '../../../fixtures/table-owners.js'

function offering(...groups: (readonly string[])[]): PeerRecord {
  const record = recordOffering('peer', [])
  const [service] = record.service
  return { ...record, service: groups.map((group) => ({ ...service!, identity_group: [...group] })) }
}

const groupsOf = (record: PeerRecord): string[][] => record.service.map(({ identity_group: group }) => group)

test('names that no publisher may use are dropped from a row, and the others stay', () => {
  const bad = [
    'model=llama3.2\u200b',
    'model= llama3.2',
    'model=llama3.2 ',
    'model=\u202ex',
    'model=',
    'model=a\r\nX: 1',
  ]
  const alsoBad = ['model=\u001b[31mred', `model=${'x'.repeat(201)}`, 'lang=e\u200bn', '']
  const good = ['model=llama3.2', 'model=*', 'all', 'lang=en', 'model=__proto__', 'api=ollama']
  const seen = asSeen(offering([...bad, ...good, ...alsoBad], ['model=\u200b'], []))
  expect(groupsOf(seen)).toEqual([good, []])
})

test('a service whose very name hides something is dropped', () => {
  const record = offering(['model=a'])
  record.service[0]!.name = 'llm\u200b'
  expect(asSeen(record).service).toEqual([])
})

test('of the entries of all services the first 256 count', () => {
  const many = Array.from({ length: 200 }, (_, index) => `model=m${index}`)
  const seen = asSeen(offering(many, many, many))
  expect(groupsOf(seen).map(({ length }) => length)).toEqual([200, MAX_ENTRIES_PER_ROW - 200])
})

test('a row without such names is seen as it is', () => {
  const record = offering(['model=gpt2', 'all'], ['role=embedder'])
  expect(asSeen(record)).toEqual(record)
})

test('facts that are odd are left out of a row, and so are those of models that it does not offer', () => {
  const service = {
    ...{ name: 'llm', identity_group: ['model=a'] },
    model_facts: [
      {
        model: 'a',
        kind: 'oracle',
        context: -1,
        parameters: '\u001b[31m',
        digest: 'a80c4f17acd5',
        capabilities: ['tools', 'magic'],
      },
      { model: 'b', context: 5 },
    ],
  }
  const read = (facts: unknown): unknown =>
    asSeen(PeerSchema.parse({ id: 'p', service: [{ ...service, model_facts: facts }] })).service[0]?.model_facts
  expect(read(service.model_facts)).toEqual([{ model: 'a', digest: 'a80c4f17acd5', capabilities: ['tools'] }])
  for (const odd of ['x', 7, {}, [null], [{}], Array.from({ length: 65 }, () => ({ model: 'a' }))]) {
    expect(read(odd)).toBeUndefined()
  }
  expect(read([{ model: '__proto__', context: 5 }])).toEqual([])
})
