import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModelFacts } from '#shared/model-facts.js'
import { JsonObjectBytes } from '../../../../src-main/base/json/object.js'
import type { Provider } from '../../../../src-main/gateway/routing/choose-providers.js'
import { createProviderChoice } from '../../../../src-main/gateway/routing/provider-choice.js'
import { createProviderScores } from '../../../../src-main/gateway/routing/provider-scores.js'
import type { StatusOutcome } from '../../../../src-main/node-table/status/peer-status.js'
import { ProviderSet } from '../../../../src-main/node-table/view/provider-set.js'
import { NO_OFFERS } from '../../../fixtures/no-offers.js'

const read = (value: object) => ({
  ...{ kind: 'read' as const, bytes: Buffer.alloc(0) },
  json: JsonObjectBytes.from(Buffer.from(JSON.stringify(value))),
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
        health: () => ({ reader: 'full' }),
      },
      registry: { connected: () => [] },
      admission: { hasRoom: true },
      health: { isRoutable: () => true, isPaused: () => false, isDoubtful: () => false },
      models: { facts: () => undefined },
      reach: { of: () => 'anyone', includes: () => true },
      scores: createProviderScores({ monotonic: { elapsedMs: () => 0 } }),
    } as unknown as Parameters<typeof createProviderChoice>[0])
    const work = choice.workOf('llm', ['model=m'], { body: read({ model: 'm' }), path: '/v1/chat/completions' })
    const request = { headers: { 'x-ocf-prefer': AWAY }, work }
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

describe('providers of which some cannot take a request', () => {
  const CONTEXTS = { short: 4_096, middling: 32_768, long: 131_072 }

  /** Who gets a prompt of so many bytes, and why nobody does where nobody does. */
  function chosenFor(
    facts: Record<string, ModelFacts>,
    request: object,
  ): { peers: string[]; error: string | undefined } {
    const ids = Object.keys(facts)
    const choice = createProviderChoice({
      host: { peerId: 'me', isConnected: () => true },
      table: {
        providers: () => new ProviderSet(ids),
        offers: NO_OFFERS,
        status: { get: () => undefined, hint: () => undefined },
        health: () => ({ reader: 'full' }),
      },
      registry: { connected: () => [] },
      admission: { hasRoom: true },
      health: { isRoutable: () => true, isPaused: () => false, isDoubtful: () => false },
      reach: { of: () => 'anyone', includes: () => true },
      models: { facts: (_model: string, peerId: string) => facts[peerId] },
      scores: createProviderScores({ monotonic: { elapsedMs: () => 0 } }),
    } as unknown as Parameters<typeof createProviderChoice>[0])
    const entries = ['model=m']
    const work = choice.workOf('llm', entries, { body: read({ model: 'm', ...request }), path: '/v1/chat/completions' })
    const found = choice.choose('llm', [entries], { headers: {}, work })
    if (found instanceof Promise) throw new Error('the network was asked')
    return {
      peers: found.providers.flatMap((provider) => (provider.kind === 'peer' ? [provider.peerId] : [])),
      error: found.unable ? choice.whyUnable('llm', entries, { what: 'the model "m"', work }).message : undefined,
    }
  }

  const prompt = (bytes: number): object => ({ messages: [{ role: 'user', content: 'word '.repeat(bytes / 5) }] })
  const byContext = Object.fromEntries(Object.entries(CONTEXTS).map(([id, contextTokens]) => [id, { contextTokens }]))

  test('a prompt goes to those alone whose context it may fit into, those that take it for sure first', () => {
    expect(chosenFor(byContext, prompt(400)).peers).toHaveLength(3)
    expect(chosenFor(byContext, prompt(100_000)).peers).toEqual(['long', 'middling'])
    expect(chosenFor(byContext, prompt(400_000)).peers).toEqual(['long'])
  })

  test('an answer that may not fit beside the prompt is asked of those first where it does', () => {
    expect(chosenFor(byContext, { ...prompt(400), max_tokens: 100_000 }).peers[0]).toBe('long')
  })

  test('where it fits nowhere, the error names the longest context that is offered', () => {
    const { peers, error } = chosenFor(byContext, prompt(2_000_000))
    expect(peers).toEqual([])
    expect(error).toMatch(
      /^No provider of the model "m" takes 500,0\d\d tokens; the longest context offered is 131,072\./,
    )
  })

  test('no request ever goes to a provider that is known not to take it, and to some where one is able', () => {
    const capabilities = fc.option(fc.subarray(['tools', 'vision'] as const, { minLength: 1 }), { nil: undefined })
    const kind = fc.constantFrom('chat' as const, 'embedding' as const, undefined)
    const facts = fc.record({ kind, capabilities, contextTokens: fc.constantFrom(2_048, 32_768, undefined) })
    fc.assert(
      fc.property(
        fc.array(facts, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        fc.boolean(),
        (list, isLong, hasTools) => {
          const table = Object.fromEntries(list.map((one, index) => [`peer-${index}`, one]))
          const tools = hasTools ? { tools: [{ type: 'function', function: { name: 'f' } }] } : {}
          const { peers } = chosenFor(table, { ...prompt(isLong ? 80_000 : 400), ...tools })
          const able = (one: ModelFacts | undefined): boolean =>
            one?.kind !== 'embedding' &&
            !(hasTools && one?.capabilities?.includes('tools') === false) &&
            !(isLong && one?.contextTokens === 2_048)
          expect(peers.every((peerId) => able(table[peerId]))).toBe(true)
          expect(peers.length).toBe(Math.min(4, list.filter(able).length))
        },
      ),
    )
  })
})

describe('more providers, where nobody known is left', () => {
  /** Whom a request finds that `liar` has failed; `later` is named by the DHT then. */
  async function foundMore(reader: 'full' | 'dht', known: readonly string[]): Promise<[Provider[], unknown[]]> {
    const there = new Set(['liar'])
    const listed = [...known]
    const asked: unknown[] = []
    const choice = createProviderChoice({
      host: { peerId: 'me', isConnected: (peerId: string) => there.has(peerId) },
      table: {
        providers: () => new ProviderSet(listed),
        offers: NO_OFFERS,
        status: {
          get: () => undefined,
          hint: () => undefined,
          refresh: () => Promise.resolve({ kind: 'unreachable', reason: 'no' }),
        },
        findProviders(_service: string, entry: string, about: { areAway: boolean; failed: ReadonlySet<string> }) {
          asked.push([entry, about.areAway, [...about.failed]])
          listed.push('later')
          there.add('later')
          return Promise.resolve()
        },
        health: () => ({ reader }),
      },
      registry: { connected: () => [] },
      admission: { hasRoom: true },
      health: { isRoutable: () => true, isPaused: () => false, isDoubtful: () => false },
      models: { facts: () => undefined },
      reach: { of: () => 'anyone', includes: () => true },
      scores: createProviderScores({ monotonic: { elapsedMs: () => 0 } }),
    } as unknown as Parameters<typeof createProviderChoice>[0])
    const work = choice.workOf('llm', ['model=m'], { body: read({ model: 'm' }), path: '/v1/chat/completions' })
    const found = await choice.findMore('llm', [['model=m']], { headers: {}, work }, new Set(['liar']))
    return [[...found], asked]
  }

  test('are looked for beyond a partial table, and whoever has failed is not among them', async () => {
    const looked = ['model=m', true, ['liar']]
    expect(await foundMore('dht', ['liar'])).toEqual([[{ kind: 'peer', peerId: 'later' }], [looked]])
    const [first] = await foundMore('dht', ['liar', 'away'])
    expect(first[0]).toEqual({ kind: 'peer', peerId: 'later' })
  })

  test('are not looked for where the table is whole', async () => {
    expect(await foundMore('full', ['liar'])).toEqual([[], []])
  })
})
