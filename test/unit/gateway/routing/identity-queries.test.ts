import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AppError } from '#shared/errors.js'
import { JsonObjectBytes } from '../../../../src-main/base/json/object.js'
import {
  fallbackLevel,
  identityQueries,
  matchingEntries,
  parseIdentityHeader,
} from '../../../../src-main/gateway/routing/identity-queries.js'

const bodyOf = (value: object): JsonObjectBytes => JsonObjectBytes.from(Buffer.from(JSON.stringify(value)))
const read = (value: object) => ({ kind: 'read' as const, bytes: Buffer.alloc(0), json: bodyOf(value) })

describe('X-Ocf-Identity-Group', () => {
  test('is split at the first equals sign', () => {
    expect(parseIdentityHeader('model=org/a=b=c')).toEqual({ key: 'model', value: 'org/a=b=c' })
    expect(parseIdentityHeader(' role = embedder ')).toEqual({ key: 'role', value: 'embedder' })
  })

  test.each(['', 'all', '=x', ' =x', 'model=', 'model= ', `model=${'x'.repeat(600)}`])('%j is refused', (header) => {
    let code = ''
    try {
      parseIdentityHeader(header)
    } catch (error) {
      code = (error as AppError).code
    }
    expect(code).toBe('invalid_request')
  })
})

describe('what a body asks for', () => {
  test('is the model alone for llm, so that nobody can match on any other field of everybody’s requests', () => {
    expect(identityQueries('llm', read({ model: 'gpt2', stream: true, user: 'me' }))).toEqual([
      { key: 'model', value: 'gpt2' },
    ])
    expect(identityQueries('llm', read({ stream: true }))).toEqual([])
    expect(identityQueries('llm', read({ model: '' }))).toEqual([])
    expect(identityQueries('llm', read({ model: { a: 1 } }))).toEqual([])
  })

  test('is every scalar field for other services', () => {
    expect(identityQueries('echo', read({ a: 'x', b: 1, c: false, d: null, e: ['x'], f: {} }))).toEqual([
      { key: 'a', value: 'x' },
      { key: 'b', value: '1' },
      { key: 'c', value: 'false' },
    ])
  })

  test('is bounded', () => {
    const huge = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, 'v']))
    expect(identityQueries('echo', read(huge))).toHaveLength(64)
    expect(identityQueries('echo', read({ prompt: 'x'.repeat(10_000) }))).toEqual([])
  })

  test('is the model field of a form, and nothing where no body was read', () => {
    expect(
      identityQueries('llm', { kind: 'read', bytes: Buffer.alloc(0), form: { model: 'whisper', parts: [] } }),
    ).toEqual([{ key: 'model', value: 'whisper' }])
    expect(identityQueries('llm', { kind: 'none' })).toEqual([])
  })
})

describe('the fallback header', () => {
  test('opens lower tiers for 1 and 2, and for nothing else', () => {
    expect(fallbackLevel('1')).toBe(1)
    expect(fallbackLevel('2')).toBe(2)
    fc.assert(
      fc.property(
        fc.string().filter((text) => text !== '1' && text !== '2'),
        (text) => fallbackLevel(text) === 0,
      ),
    )
    expect(fallbackLevel('1, 1')).toBe(0)
    expect(fallbackLevel(undefined)).toBe(0)
  })

  test('exact before wildcard before all', () => {
    const queries = [
      { key: 'model', value: 'gpt2' },
      { key: 'role', value: 'x' },
    ]
    expect(matchingEntries(queries, 0)).toEqual([['model=gpt2', 'role=x']])
    expect(matchingEntries(queries, 1)).toEqual([
      ['model=gpt2', 'role=x'],
      ['model=*', 'role=*'],
    ])
    expect(matchingEntries(queries, 2)).toEqual([['model=gpt2', 'role=x'], ['model=*', 'role=*'], ['all']])
  })

  test('a value that reads * does not open the wildcard tier by itself', () => {
    expect(matchingEntries([{ key: 'model', value: '*' }], 0)).toEqual([[]])
    expect(matchingEntries([{ key: 'model', value: '*' }], 1)).toEqual([[], ['model=*']])
  })
})
