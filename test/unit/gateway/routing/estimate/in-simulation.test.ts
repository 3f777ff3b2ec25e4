import { describe, expect, test } from 'vitest'
import { createOwnPolicy } from '../../../../bench/routing/own-policy.js'
import type { PolicyFactory } from '../../../../bench/routing/policies.js'
import type { ProviderSpec } from '../../../../bench/routing/provider.js'
import { emptyTally, type Network, runOnce } from '../../../../bench/routing/run-scenario.js'
import { heterogeneous } from '../../../../bench/routing/scenarios.js'
import type { SimRequest } from '../../../../bench/routing/workload.js'

const MINUTE = 60_000
const SPEC: ProviderSpec = {
  ...{ slots: 4, queue: 16, queueTimeMs: 10_000 },
  ...{ readMsPerThousand: 400, tokenMs: 20, rttMs: 40 },
}

/** Requests that have nothing to do with each other, evenly spread. */
const requestsOf = (perMinute: number, minutes: number): SimRequest[] =>
  Array.from({ length: perMinute * minutes }, (_, number) => ({
    ...{ atMs: (number * MINUTE) / perMinute, gateway: 0, conversation: `c${number}` },
    ...{ contextTokens: 500 + ((number * 997) % 3_000), knownTokens: 0, answerTokens: 100 },
  }))

/** The first providers that each request was sent to, in order. */
async function sentTo(
  providers: ProviderSpec[],
  requests: SimRequest[],
  events: NonNullable<Network['events']> = [],
): Promise<string[]> {
  const sent = new Map<SimRequest, string>()
  const policy: PolicyFactory = (needs) => {
    const own = createOwnPolicy(needs)
    return {
      ...own,
      begin(peerId, request) {
        if (!sent.has(request)) sent.set(request, peerId)
        return own.begin(peerId, request)
      },
    }
  }
  const lastMs = requests.at(-1)?.atMs ?? 0
  const network = { gateways: 1, providers, durationMs: Math.max(10 * MINUTE, lastMs), events }
  await runOnce(network, requests, { policy, seed: 1, tally: emptyTally() })
  return [...sent.values()]
}

describe('a network in simulation', () => {
  test.each<[string, Partial<ProviderSpec>]>([
    ['has no load', { told: { slots: 4, queued: 0 } }],
    ['has a hundred slots, all of them free', { told: { slots: 100, queued: 0 } }],
  ])(
    'a provider that always says that it %s gets at most 1.5 times its fair share after 20 requests',
    async (_what, lie) => {
      const requests = requestsOf(240, 4)
      const liar = await sentTo([{ ...SPEC, ...lie }, ...Array.from({ length: 7 }, () => SPEC)], requests)
      const share = liar.slice(20).filter((peerId) => peerId === 'peer-0').length / (liar.length - 20)
      expect(liar).toHaveLength(requests.length)
      expect(share).toBeLessThan(1.5 / 8)
    },
  )

  test('a slow provider that lies about its load gets no more than an honest one of its speed, by half', async () => {
    const requests = requestsOf(240, 4)
    const others = Array.from({ length: 7 }, () => SPEC)
    const slow = { ...SPEC, readMsPerThousand: 3_000, tokenMs: 60 }
    const count = (sent: readonly string[]): number => sent.slice(20).filter((peerId) => peerId === 'peer-0').length
    const honest = count(await sentTo([slow, ...others], requests))
    const lying = count(await sentTo([{ ...slow, told: { slots: 100, queued: 0 } }, ...others], requests))
    expect(lying).toBeLessThanOrEqual(Math.max(1.5 * honest, 20))
  })

  test('a provider that was slow for some minutes is asked again a while later, at the cost of a few short requests', async () => {
    const [slowMs, minutes, perMinute] = [3 * MINUTE, 30, 120]
    const requests = requestsOf(perMinute, minutes).map((request) => ({ ...request, contextTokens: 400 }))
    const events = [
      { atMs: 0, provider: 0, what: { slower: 30 } },
      { atMs: slowMs, provider: 0, what: { slower: 1 } },
    ]
    const others = Array.from({ length: 3 }, () => SPEC)
    const countIn = (sent: readonly string[], from: number, to: number): number =>
      sent.slice(from * perMinute, to * perMinute).filter((peerId) => peerId === 'peer-0').length
    const healed = await sentTo([SPEC, ...others], requests, events)
    expect(countIn(healed, 20, 30) / (10 * perMinute)).toBeGreaterThan(0.1)
    const stillSlow = await sentTo([SPEC, ...others], requests, events.slice(0, 1))
    expect(countIn(stillSlow, 5, 30) / (25 * perMinute)).toBeLessThan(0.01)
  })

  test('no provider starves: each of sixteen unequal ones is asked where there is work for all', async () => {
    const sent = await sentTo(heterogeneous(16), requestsOf(900, 4))
    expect(new Set(sent).size).toBe(16)
  })
})
