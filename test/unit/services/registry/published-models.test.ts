import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LocalModel } from '../../../../src-main/services/index.js'
import {
  parseIdentityGroup,
  publicIdOf,
  publishModels,
  type PublishOptions,
} from '../../../../src-main/services/registry/published-models.js'

const model = (id: string): LocalModel => ({ id, ownedBy: undefined, created: undefined, contextLength: undefined })
const wishes = (changes: Partial<PublishOptions> = {}): PublishOptions => ({
  models: 'all',
  aliases: new Map(),
  identityGroups: [],
  ...changes,
})
const publish = (ids: string[], changes?: Partial<PublishOptions>) => publishModels(ids.map(model), wishes(changes))

test.each([
  ['llama3:latest', 'llama3:latest'],
  ['meta-llama/Llama-3-8B', 'meta-llama/Llama-3-8B'],
  ['accounts/x/models/y', 'accounts/x/models/y'],
  ['/home/someone/models/llama.gguf', 'llama.gguf'],
  ['/models/Llama-3-8B/', 'Llama-3-8B'],
  ['C:\\Users\\someone\\llama.gguf', 'llama.gguf'],
  ['c:/models/llama.gguf', 'llama.gguf'],
  ['\\\\server\\share\\llama.gguf', 'llama.gguf'],
  ['./llama.gguf', 'llama.gguf'],
  ['../models/llama.bin', 'llama.bin'],
  ['~/models/llama', 'llama'],
  ['models/llama.gguf', 'llama.gguf'],
  ['file:///home/someone/llama', 'llama'],
  ['/', ''],
])('%s is published as "%s"', (id, published) => {
  expect(publicIdOf(id)).toBe(published)
})

test('no directory of the owner is ever published', () => {
  const segment = fc.stringMatching(/^[a-z]{8}$/)
  const root = fc.constantFrom('/', 'C:\\', 'D:/', '\\\\', './', '~/', 'file:///')
  fc.assert(
    fc.property(
      root,
      fc.array(segment, { minLength: 2, maxLength: 5 }),
      fc.constantFrom('/', '\\'),
      (start, parts, slash) => {
        const { identityGroups } = publish([start + parts.join(slash)])
        expect(identityGroups).toEqual([`model=${parts.at(-1)!}`])
      },
    ),
  )
})

test('only ticked models are published, ticked by either of their ids', () => {
  expect(
    publish(['a', '/x/b.gguf', '/x/c.gguf', 'd'], { models: ['a', 'b.gguf', '/x/c.gguf'] }).identityGroups,
  ).toEqual(['model=a', 'model=b.gguf', 'model=c.gguf'])
})

test('an alias stands for a published model and never for another', () => {
  const aliases = new Map([
    ['best', '/x/a.gguf'],
    ['second', 'b'],
    ['a.gguf', 'b'],
    ['lost', 'nowhere'],
  ])

  const { serverModelIds, leftOut, identityGroups } = publish(['/x/a.gguf', 'b', 'unticked'], {
    aliases,
    models: ['a.gguf', 'b'],
  })

  expect(identityGroups).toEqual(['model=a.gguf', 'model=b', 'model=best', 'model=second'])
  expect(serverModelIds).toEqual(
    new Map([
      ['a.gguf', '/x/a.gguf'],
      ['best', '/x/a.gguf'],
      ['second', 'b'],
    ]),
  )
  expect(leftOut).toEqual([{ id: 'a.gguf', reason: 'the name is taken' }])
})

test.each(['*', '', ' a', 'a\n', 'a\u0000b', 'a\u200bb', 'a\u202eb', 'x'.repeat(201), '..'])(
  'the id %j is not published',
  (id) => {
    expect(publish([id]).identityGroups).toEqual([])
    expect(publish([id]).leftOut).toMatchObject([{ reason: 'not an id that can be published' }])
  },
)

test('a model named twice is published once', () => {
  expect(publish(['a', 'a', '/x/a'])).toMatchObject({
    identityGroups: ['model=a'],
    leftOut: [{ reason: 'the name is taken' }, { reason: 'the name is taken' }],
  })
})

test('at most 200 models are published, and all entries together take at most 3 KB', () => {
  const many = publish(Array.from({ length: 300 }, (_, index) => `m${index}`))
  expect(many.models).toHaveLength(200)
  expect(many.leftOut).toHaveLength(100)

  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', minLength: 50, maxLength: 200, size: 'max' }), {
        minLength: 20,
        maxLength: 60,
      }),
      (ids) => {
        const { identityGroups } = publish(ids, { identityGroups: ['kind=x'] })
        expect(Buffer.byteLength(JSON.stringify(identityGroups))).toBeLessThanOrEqual(3 * 1024 + 2)
      },
    ),
  )
})

test('the owner’s own entries stay, after the models and once', () => {
  expect(publish(['a'], { identityGroups: ['all', 'all', 'model=a'] }).identityGroups).toEqual(['model=a', 'all'])
})

test('a server of Ollama’s library says that it speaks Ollama’s interface, once', () => {
  const model = { id: 'tiny:latest', ownedBy: 'library', created: undefined, contextLength: undefined }
  const wishes = { models: 'all' as const, aliases: new Map<string, string>(), identityGroups: ['api=ollama'] }
  expect(publishModels([model], wishes).identityGroups).toEqual(['model=tiny:latest', 'api=ollama'])
  expect(publishModels([model], { ...wishes, identityGroups: [] }).identityGroups).toContain('api=ollama')
  expect(publishModels([{ ...model, ownedBy: 'vllm' }], { ...wishes, identityGroups: [] }).identityGroups).toEqual([
    'model=tiny:latest',
  ])
})

test('the key of an identity group ends at the first equals sign', () => {
  expect(parseIdentityGroup('model=a=b')).toEqual({ kind: 'exact', key: 'model', value: 'a=b' })
  expect(parseIdentityGroup('model=*')).toEqual({ kind: 'any', key: 'model' })
  expect(parseIdentityGroup('all')).toEqual({ kind: 'all' })
})

test.each(['', 'gpt2', '=x', 'model=', 'model= ', 'ALL', 'a=\n', `model=${'x'.repeat(600)}`])(
  '"%s" is no identity group',
  (entry) => {
    expect(parseIdentityGroup(entry)).toMatchObject({ kind: 'invalid' })
  },
)

test('a model that others run in the owner’s name is published only where it was named', () => {
  const cloud = { ...model('gpt-oss:120b-cloud'), isCloud: true }
  const models = [model('a'), cloud]
  const entries = (changes: Partial<PublishOptions>) => publishModels(models, wishes(changes)).identityGroups
  expect(entries({})).toEqual(['model=a'])
  expect(entries({ models: ['a', cloud.id] })).toEqual(['model=a', `model=${cloud.id}`])
  expect(entries({ visibilities: new Map([[cloud.id, 'trusted']]) })).toEqual(['model=a', `model=${cloud.id}`])
})

test('a model whose id is a plain name keeps it before one whose path ends in that name', () => {
  const { serverModelIds, identityGroups, leftOut } = publish(['/a/q4.gguf', '/b/q4.gguf', 'q4.gguf'])
  expect(identityGroups).toEqual(['model=q4.gguf'])
  expect(serverModelIds.get('q4.gguf')).toBeUndefined()
  expect(leftOut.map(({ reason }) => reason)).toEqual(['the name is taken', 'the name is taken'])
})
