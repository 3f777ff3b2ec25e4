import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Standing } from '#shared/contract/network/peers.js'
import {
  type Choice,
  chooseProviders as choose,
  type Expected,
  MAX_ATTEMPTS,
  MAX_COMPARED,
  type ProviderSnapshot,
  type RoutingHints,
} from '../../../../src-main/gateway/routing/choose-providers.js'
import { ProviderSet } from '../../../../src-main/node-table/view/provider-set.js'
import { createRandom } from '../../../fixtures/table-owners.js'

interface Network {
  own: Record<string, string>
  peers: Record<string, string[]>
  away: string[]
}

/** A snapshot that tells what is expected of a peer in parts, so that a test may change one of them. */
interface Parts extends Omit<ProviderSnapshot, 'expected'> {
  isBusy(peerId: string): boolean
  isWarm(peerId: string): boolean
  estimateMs(peerId: string): number
}

function chooseProviders(
  parts: Parts,
  tiers: readonly (readonly string[])[],
  options: Parameters<typeof choose>[2],
): Choice {
  const expected = (peerId: string): Expected => ({
    isBusy: parts.isBusy(peerId),
    isWarm: parts.isWarm(peerId),
    ms: parts.estimateMs(peerId),
  })
  return choose({ ...parts, expected }, tiers, options)
}

const snapshotOf = ({ own, peers, away }: Network): Parts => ({
  ownServices: (entry) => (own[entry] === undefined ? [] : [own[entry]]),
  peers: (entry) => new ProviderSet(peers[entry]),
  standing: (peerId) => (away.includes(peerId) ? 'away' : 'proven'),
  ownHasRoom: () => true,
  isBusy: () => false,
  isWorthATry: () => false,
  isWarm: () => false,
  estimateMs: () => 100,
})

const withRandom = (random: () => number) => ({ random, ownPeerId: 'me' })

const ENTRIES = ['model=a', 'model=*', 'all', 'role=x']
const peerIds = fc.uniqueArray(fc.integer({ min: 0, max: 20 }).map((number) => `peer${number}`))
const networks: fc.Arbitrary<Network> = fc.record({
  own: fc.dictionary(fc.constantFrom(...ENTRIES), fc.constant('llm@localhost:1'), { noNullPrototype: true }),
  peers: fc.dictionary(fc.constantFrom(...ENTRIES), peerIds, { noNullPrototype: true }),
  away: peerIds,
})
const tiersOf = fc.array(fc.uniqueArray(fc.constantFrom(...ENTRIES), { maxLength: 3 }), { maxLength: 3 })

describe('the providers of a request', () => {
  test('are distinct, at most four, reachable, this node first, and of the best tier alone', () => {
    fc.assert(
      fc.property(networks, tiersOf, fc.integer(), (network, tiers, seed) => {
        const { providers, knownButAway } = chooseProviders(snapshotOf(network), tiers, withRandom(createRandom(seed)))
        const peers = providers.flatMap((provider) => (provider.kind === 'peer' ? [provider.peerId] : []))
        expect(new Set(peers).size).toBe(peers.length)
        expect(providers.length).toBeLessThanOrEqual(MAX_ATTEMPTS)
        expect(providers.findLastIndex(({ kind }) => kind === 'self')).toBeLessThanOrEqual(0)
        for (const peer of peers) expect(network.away).not.toContain(peer)

        const offer = (entries: readonly string[]) => ({
          self: entries.some((entry) => network.own[entry] !== undefined),
          peers: new Set(
            entries.flatMap((entry) => (network.peers[entry] ?? []).filter((peer) => !network.away.includes(peer))),
          ),
        })
        const best = tiers.map(offer).find(({ self, peers: there }) => self || there.size > 0)
        expect(providers.some(({ kind }) => kind === 'self')).toBe(best?.self ?? false)
        for (const peer of peers) expect(best!.peers.has(peer)).toBe(true)
        const room = MAX_ATTEMPTS - (best?.self === true ? 1 : 0)
        expect(peers).toHaveLength(Math.min(room, best?.peers.size ?? 0))
        if (providers.length === 0) {
          const someAway = tiers.flat().some((entry) => (network.peers[entry] ?? []).length > 0)
          expect(knownButAway).toBe(someAway)
        }
      }),
    )
  })

  test('take turns: each of ten peers comes first about as often', () => {
    const peers = Array.from({ length: 10 }, (_, number) => `peer${number}`)
    const snapshot = snapshotOf({ own: {}, peers: { all: peers }, away: [] })
    const random = createRandom(7)
    const first = new Map<string, number>()
    for (let turn = 0; turn < 5_000; turn += 1) {
      const [provider] = chooseProviders(snapshot, [['all']], withRandom(random)).providers
      const id = provider?.kind === 'peer' ? provider.peerId : 'nobody'
      first.set(id, (first.get(id) ?? 0) + 1)
    }
    for (const peer of peers) expect(first.get(peer)).toBeGreaterThan(400)
    for (const peer of peers) expect(first.get(peer)).toBeLessThan(600)
  })

  const three = snapshotOf({ own: {}, peers: { all: ['slow', 'quick', 'middling'] }, away: [] })
  const speeds: Record<string, number> = { slow: 900, quick: 90, middling: 300 }
  const measured: Parts = { ...three, estimateMs: (peerId) => speeds[peerId]! }
  const idsOf = (snapshot: Parts, wishes: RoutingHints, seed = 1): string[] =>
    chooseProviders(snapshot, [['all']], { ...withRandom(createRandom(seed)), ...wishes }).providers.map((provider) =>
      provider.kind === 'peer' ? provider.peerId : 'this node',
    )

  test('the provider that is expected to answer soonest comes first, however many others there are', () => {
    const ids = Array.from({ length: MAX_COMPARED }, (_, number) => `peer${number}`)
    const snapshot: Parts = {
      ...three,
      peers: () => new ProviderSet(ids),
      estimateMs: (peerId) => (peerId === 'peer63' ? 100 : 300),
    }
    for (let seed = 0; seed < 50; seed += 1) expect(idsOf(snapshot, {}, seed)[0]).toBe('peer63')
  })

  test('providers that are expected to take about as long take turns, so that gateways do not all go to one', () => {
    const near: Parts = {
      ...three,
      estimateMs: (peerId) => ({ slow: 104, middling: 102, quick: 100 })[peerId]!,
    }
    const first = Array.from({ length: 300 }, (_, seed) => idsOf(near, {}, seed)[0])
    for (const peerId of ['slow', 'middling', 'quick']) {
      expect(first.filter((id) => id === peerId).length).toBeGreaterThan(30)
    }
  })

  test('of providers that take about as long the one that has read the beginning of the prompt comes first', () => {
    const ms: Record<string, number> = { slow: 900, middling: 103, quick: 100 }
    const near: Parts = { ...three, estimateMs: (peerId) => ms[peerId]! }
    const middling = { ...near, isWarm: (peerId: string) => peerId === 'middling' }
    const first = Array.from({ length: 100 }, (_, seed) => idsOf(middling, {}, seed)[0])
    expect(first.filter((id) => id === 'middling').length).toBeGreaterThan(75)
    const slow = { ...near, isWarm: (peerId: string) => peerId === 'slow' }
    for (let seed = 0; seed < 100; seed += 1) expect(idsOf(slow, {}, seed)[0]).not.toBe('slow')
  })

  test('a request goes now and then to a provider that is worth a try, unless it is busy', () => {
    const snapshot: Parts = { ...measured, isWorthATry: (peerId) => peerId === 'slow' }
    const first = Array.from({ length: 200 }, (_, seed) => idsOf(snapshot, {}, seed)[0])
    const tried = first.filter((id) => id === 'slow').length
    expect(tried).toBeGreaterThan(25)
    expect(tried).toBeLessThan(80)
    const busy = { ...snapshot, isBusy: (peerId: string) => peerId === 'slow' }
    for (let seed = 0; seed < 100; seed += 1) expect(idsOf(busy, {}, seed)[0]).not.toBe('slow')
  })

  test('a busy peer comes after free ones however quick it is', () => {
    const busy = { ...measured, isBusy: (peerId: string) => peerId === 'quick' }
    for (let seed = 0; seed < 100; seed += 1) expect(idsOf(busy, {}, seed).at(-1)).toBe('quick')
  })

  test('the client may prefer a peer and exclude others, this node included', () => {
    expect(idsOf(measured, { prefer: 'slow' })[0]).toBe('slow')
    expect(idsOf(measured, { prefer: 'nobody' })).toHaveLength(3)
    expect(idsOf(measured, { exclude: new Set(['quick', 'slow']) })).toEqual(['middling'])
    const own = { ...measured, ownServices: () => ['llm@localhost:1'] }
    expect(idsOf(own, {})[0]).toBe('this node')
    expect(idsOf(own, { exclude: new Set(['me']) })).not.toContain('this node')
    expect(idsOf(own, { prefer: 'slow' }).slice(0, 2)).toEqual(['slow', 'this node'])
  })

  test('without room this node lets others go first and is still tried', () => {
    const full = { ...measured, ownServices: () => ['llm@localhost:1'], ownHasRoom: () => false }
    const order = idsOf(full, {})
    expect(order[0]).not.toBe('this node')
    expect(order).toContain('this node')
  })

  test('whoever is proven comes before all who are not, however little those are expected to take', () => {
    const standings: Record<string, Standing> = { slow: 'proven', middling: 'doubtful', quick: 'unproven' }
    const snapshot = { ...measured, standing: (peerId: string) => standings[peerId]! }
    for (let seed = 0; seed < 50; seed += 1) expect(idsOf(snapshot, {}, seed)).toEqual(['slow', 'middling', 'quick'])
    const { unproven } = chooseProviders(snapshot, [['all']], withRandom(createRandom(1)))
    expect(unproven).toEqual(['quick'])
  })

  test('one proven provider is found among hundreds that may not be there', () => {
    const ids = Array.from({ length: 300 }, (_, number) => `peer${number}`)
    const snapshot: Parts = {
      ...three,
      peers: () => new ProviderSet(ids),
      standing: (peerId) => (peerId === 'peer250' ? 'proven' : 'unproven'),
    }
    for (let seed = 0; seed < 50; seed += 1) expect(idsOf(snapshot, {}, seed)[0]).toBe('peer250')
  })

  test('a peer that the request may not go to is never chosen, hinted at or not', () => {
    const mayGoTo = (peerId: string): boolean => peerId === 'slow'
    expect(idsOf(measured, { mayGoTo, prefer: 'quick', warm: () => ['quick'] })).toEqual(['slow'])
    const nobody = chooseProviders(measured, [['all']], { ...withRandom(createRandom(1)), mayGoTo: () => false })
    expect(nobody).toEqual({ providers: [], unproven: [], knownButAway: false, beyondReach: true, unable: false })
  })

  describe('among ten thousand peers', () => {
    const ids = Array.from({ length: 10_000 }, (_, number) => `peer${number}`)
    const offering = new ProviderSet(ids)
    const snapshotWith = (isAway: (peerId: string) => boolean): Parts & { asked: () => number } => {
      let asked = 0
      return {
        ...three,
        peers: () => offering,
        standing(peerId) {
          asked += 1
          return isAway(peerId) ? 'away' : 'proven'
        },
        asked: () => asked,
      }
    }

    test('a bounded number is looked at, and each has its chance', () => {
      const first = new Set<string>()
      for (let seed = 0; seed < 500; seed += 1) {
        const snapshot = snapshotWith(() => false)
        const [id = ''] = idsOf(snapshot, {}, seed)
        first.add(id)
        expect(snapshot.asked()).toBeLessThanOrEqual(MAX_COMPARED)
      }
      expect(first.size).toBeGreaterThan(450)
    })

    test('those who are wished for are found', () => {
      expect(
        idsOf(
          snapshotWith(() => false),
          { prefer: 'peer9876' },
        )[0],
      ).toBe('peer9876')
      const warmIsQuick = (peerId: string): number => (peerId === 'peer1234' ? 10 : 100)
      expect(idsOf({ ...snapshotWith(() => false), estimateMs: warmIsQuick }, { warm: () => ['peer1234'] })[0]).toBe(
        'peer1234',
      )
    })

    test('a handful that is left is found however many are away', () => {
      const left = new Set(['peer17', 'peer5000', 'peer9999'])
      expect(
        new Set(
          idsOf(
            snapshotWith((peerId) => !left.has(peerId)),
            {},
          ),
        ),
      ).toEqual(left)
      const nobody = chooseProviders(
        snapshotWith(() => true),
        [['all']],
        withRandom(createRandom(1)),
      )
      expect(nobody).toMatchObject({ providers: [], knownButAway: true })
    })
  })
})
