import { describe, expect, test } from 'vitest'
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
      },
      registry: { connected: () => [] },
      admission: { hasRoom: true },
      health: { isRoutable: () => true, isPaused: () => false, isDoubtful: () => false },
      reach: { of: () => 'anyone', includes: () => true },
      scores: createProviderScores({ monotonic: { elapsedMs: () => 0 } }),
    } as unknown as Parameters<typeof createProviderChoice>[0])
    const work = choice.workOf('llm', ['model=m'], read({ model: 'm' }))
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
