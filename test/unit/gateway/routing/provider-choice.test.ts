import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AppError } from '#shared/errors.js'
import { JsonObjectBytes } from '../../../../src-main/base/json/object.js'
import { conversationKey, createAffinity } from '../../../../src-main/gateway/routing/affinity.js'
import type { Provider } from '../../../../src-main/gateway/routing/choose-providers.js'
import {
  createProviderChoice,
  fallbackLevel,
  identityQueries,
  matchingEntries,
  parseIdentityHeader,
} from '../../../../src-main/gateway/routing/provider-choice.js'
import { createProviderScores } from '../../../../src-main/gateway/routing/provider-scores.js'
import type { StatusOutcome } from '../../../../src-main/node-table/status/peer-status.js'
import { ProviderSet } from '../../../../src-main/node-table/view/provider-set.js'
import { NO_OFFERS } from '../../../fixtures/no-offers.js'

const bodyOf = (value: object): JsonObjectBytes => JsonObjectBytes.from(Buffer.from(JSON.stringify(value)))
const read = (value: object) => ({ kind: 'read' as const, bytes: Buffer.alloc(0), json: bodyOf(value) })
const keyOf = (value: object): string | undefined => conversationKey(bodyOf(value))

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
    expect(fallbackLevel(['1', '1'])).toBe(0)
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

const system = { role: 'system', content: 'Be brief.' }
const first = { role: 'user', content: 'What is a peer?' }

describe('the key of a conversation', () => {
  const key = keyOf({ model: 'm', messages: [system, first] })

  test('stays the same for its later turns', () => {
    const later = [system, first, { role: 'assistant', content: 'Another node.' }, { role: 'user', content: 'Why?' }]
    expect(keyOf({ model: 'm', messages: later, stream: true })).toBe(key)
    const noSystem = keyOf({ model: 'm', messages: [first] })
    expect(keyOf({ model: 'm', messages: [first, { role: 'assistant', content: 'A node.' }] })).toBe(noSystem)
  })

  test('differs by model, system text and first question', () => {
    const others = [
      { model: 'n', messages: [system, first] },
      { model: 'm', messages: [{ ...system, content: 'Be long.' }, first] },
      { model: 'm', messages: [system, { ...first, content: 'What is a node?' }] },
      { model: 'm', prompt: 'What is a peer?' },
      { model: 'm', system: 'Be brief.', messages: [first] },
    ].map(keyOf)
    expect(new Set([key, ...others]).size).toBe(others.length + 1)
  })

  test('holds nothing of the text, and is absent where there is none', () => {
    expect(key).toMatch(/^[\w+/]{27}=$/)
    for (const json of [{ model: 'm' }, { model: 'm', prompt: '' }, { model: 'm', messages: 7 }]) {
      expect(keyOf(json)).toBeUndefined()
    }
    for (const messages of [[null], [7, {}], [[]], [{ role: 'user' }]]) {
      expect(() => keyOf({ model: 'm', messages })).not.toThrow()
    }
  })
})

test('the last server is remembered for a while', () => {
  let now = 0
  const affinity = createAffinity({ monotonic: { elapsedMs: () => now } })
  affinity.served('k', 'a')
  affinity.served('k', 'b')
  expect(affinity.lastServer('k')).toBe('b')
  now += 11 * 60_000
  expect(affinity.lastServer('k')).toBeUndefined()
})

describe('a peer that the client prefers and that is not connected', () => {
  const AWAY = 'away'
  const THERE = 'there'

  /** Who is asked for a model that both offer. */
  async function chosenWhere(outcome: StatusOutcome): Promise<{ providers: Provider[]; asked: string[] }> {
    const asked: string[] = []
    const connected = new Set([THERE])
    const choice = createProviderChoice({
      host: { peerId: 'me', isConnected: (peerId: string) => connected.has(peerId) },
      table: {
        providers: () => new ProviderSet([AWAY, THERE]),
        offers: NO_OFFERS,
        status: {
          get: () => undefined,
          hint: () => undefined,
          refresh(peerId: string) {
            asked.push(peerId)
            if (outcome.kind === 'answered') connected.add(peerId)
            return Promise.resolve(outcome)
          },
        },
      },
      registry: { connected: () => [] },
      admission: { hasRoom: true },
      health: { isRoutable: () => true, isPaused: () => false, isDoubtful: () => false },
      reach: { of: () => 'anyone', includes: () => true },
      scores: createProviderScores({ monotonic: { elapsedMs: () => 0 } }),
      affinity: { lastServer: () => undefined },
    } as unknown as Parameters<typeof createProviderChoice>[0])
    const request = { headers: { 'x-ocf-prefer': AWAY }, body: read({ model: 'm' }) }
    const { providers } = await choice.choose('llm', [['model=m']], request)
    return { providers, asked }
  }

  test('is left out where it does not answer, and the others are asked', async () => {
    const { providers, asked } = await chosenWhere({ kind: 'unreachable', reason: 'no' })
    expect(providers).toEqual([{ kind: 'peer', peerId: THERE }])
    expect(asked).toEqual([AWAY])
  })

  test('comes first where it answers', async () => {
    const status = { paused: null, slotsFree: null }
    const { providers } = await chosenWhere({ kind: 'answered', status } as StatusOutcome)
    expect(providers).toEqual([
      { kind: 'peer', peerId: AWAY },
      { kind: 'peer', peerId: THERE },
    ])
  })
})
