import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { PairEnding } from '#shared/contract/people/pairing.js'
import { PairAttempt } from '../../../../src-main/people/pairing/attempt.js'
import { decode } from '../../../../src-main/people/pairing/message.js'
import { silentLog } from '../../../fixtures/hosts.js'
import { linePipe } from './line-pipe.js'

const ANN = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const BOB = '12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba'
const PERSON_MS = 120_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** One side of a pairing, and what it has written down. */
function side(self: string, other: string, options: { isFull?: boolean } = {}) {
  const trusted = new Map<string, string | undefined>()
  const store = {
    isTrusted: (peerId: string) => trusted.has(peerId),
    trust: ({ peerId, ownName }: { peerId: string; ownName?: string | undefined }) => {
      if (options.isFull === true) return Promise.reject(new Error('no space left'))
      trusted.set(peerId, ownName)
      return Promise.resolve({} as never)
    },
    untrust: (peerId: string) => {
      trusted.delete(peerId)
      return Promise.resolve({} as never)
    },
    note: (peerId: string, { ownName }: { ownName?: string }) => void trusted.set(peerId, ownName),
  }
  const attempt = new PairAttempt(
    { store, ownName: () => (self === ANN ? 'Ann' : 'Bob'), onChanged: () => undefined, clock: Date, log: silentLog },
    {
      ...{ self, peerId: other, address: '192.168.7.2', personMs: PERSON_MS },
      direction: self === ANN ? 'outgoing' : 'incoming',
    },
  )
  return { attempt, trusts: () => trusted.has(other), nameOf: () => trusted.get(other) }
}

/** Everything that can happen without time going by. */
const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

/** Ann asks Bob over a line that breaks where `lose` says. */
async function begin(
  options: { lose?: (frame: Uint8Array, from: 0 | 1) => boolean; annIsFull?: boolean; bobIsFull?: boolean } = {},
) {
  const [lineOfAnn, lineOfBob] = linePipe(options.lose)
  const ann = side(ANN, BOB, { isFull: options.annIsFull })
  const bob = side(BOB, ANN, { isFull: options.bobIsFull })
  const annRuns = ann.attempt.run(lineOfAnn)
  const bobRuns = lineOfBob.next().then((first) => {
    const message = decode(first)
    if (message?.kind !== 'commit') throw new Error('no promise')
    return bob.attempt.run(lineOfBob, message.commitment)
  })
  const runs = Promise.allSettled([annRuns, bobRuns])
  await settled()
  return { ann, bob, lineOfAnn, lineOfBob, runs }
}

const endings = ({ ann, bob }: Awaited<ReturnType<typeof begin>>): (PairEnding | undefined)[] => [
  ann.attempt.ending,
  bob.attempt.ending,
]
const trusts = ({ ann, bob }: Awaited<ReturnType<typeof begin>>): boolean[] => [ann.trusts(), bob.trusts()]

describe('two persons who compare a code', () => {
  test('both screens show the same code, and both persons confirm: each is trusted, with its name', async () => {
    for (const first of ['ann', 'bob'] as const) {
      const pairing = await begin()
      const { ann, bob } = pairing
      expect(ann.attempt.code).toMatch(/^\d{3} \d{3}$/)
      expect(ann.attempt.code).toBe(bob.attempt.code)
      pairing[first].attempt.confirm()
      await settled()
      expect(trusts(pairing)).toEqual([false, false])
      const [waits, other] = first === 'ann' ? [ann, bob] : [bob, ann]
      expect(waits.attempt.view(undefined).state).toBe('waiting')
      expect(other.attempt.view(undefined)).toMatchObject({ state: 'compare', theyConfirmed: true })
      other.attempt.confirm()
      await settled()
      expect(trusts(pairing)).toEqual([true, true])
      expect(endings(pairing)).toEqual(['trusted', 'trusted'])
      expect([ann.nameOf(), bob.nameOf()]).toEqual(['Bob', 'Ann'])
    }
  })

  test.each([
    ['ann', 'refused', 'they-refused'],
    ['bob', 'refused', 'they-refused'],
    ['ann', 'differ', 'they-differ'],
    ['bob', 'differ', 'they-differ'],
  ] as const)('where %s says %s, nothing is changed and the other screen says so', async (who, how, heard) => {
    const pairing = await begin()
    const other = who === 'ann' ? pairing.bob : pairing.ann
    other.attempt.confirm()
    await settled()
    pairing[who].attempt.stop(how, how)
    await settled()
    expect(pairing[who].attempt.ending).toBe(how)
    expect(other.attempt.ending).toBe(heard)
    expect(trusts(pairing)).toEqual([false, false])
  })

  test('a person who confirmed can still take it back while the other has not answered', async () => {
    const pairing = await begin()
    pairing.ann.attempt.confirm()
    await settled()
    pairing.ann.attempt.stop('refused', 'refused')
    await settled()
    pairing.bob.attempt.confirm()
    await settled()
    expect(endings(pairing)).toEqual(['refused', 'they-refused'])
    expect(trusts(pairing)).toEqual([false, false])
  })

  test('without an answer within two minutes it ends on both screens and nothing is changed', async () => {
    const pairing = await begin()
    pairing.bob.attempt.confirm()
    await vi.advanceTimersByTimeAsync(PERSON_MS - 1)
    expect(endings(pairing)).toEqual([undefined, undefined])
    await vi.advanceTimersByTimeAsync(1)
    expect(endings(pairing)).toEqual(['expired', 'expired'])
    expect(trusts(pairing)).toEqual([false, false])
  })

  test('where one side cannot write the other down, neither is trusted', async () => {
    for (const full of ['annIsFull', 'bobIsFull'] as const) {
      const pairing = await begin({ [full]: true })
      pairing.ann.attempt.confirm()
      pairing.bob.attempt.confirm()
      await settled()
      expect(endings(pairing)).toEqual(['not-stored', 'not-stored'])
      expect(trusts(pairing)).toEqual([false, false])
    }
  })

  test('the side that asked says that it is not sure where the very last words were lost', async () => {
    for (const [loser, expected] of [
      [0, [true, false]],
      [1, [true, true]],
    ] as const) {
      const pairing = await begin({ lose: (frame, from) => frame[0] === 6 && from === loser })
      pairing.bob.attempt.confirm()
      pairing.ann.attempt.confirm()
      await settled()
      expect(trusts(pairing)).toEqual(expected)
      expect(endings(pairing)).toEqual(['unsure', loser === 0 ? 'broken-off' : 'trusted'])
    }
  })

  test('a side that says both confirmed before the person here did is not trusted', async () => {
    const [lineOfAnn, toAnn] = linePipe()
    const ann = side(ANN, BOB)
    void ann.attempt.run(lineOfAnn)
    await toAnn.next()
    toAnn.send(Buffer.concat([Buffer.from([2]), Buffer.alloc(32, 7)]))
    await toAnn.next()
    await settled()
    expect(ann.attempt.code).toMatch(/^\d{3} \d{3}$/)
    toAnn.send(Buffer.from([5]))
    await settled()
    expect([ann.attempt.ending, ann.trusts()]).toEqual(['broken-off', false])
  })

  test('a step that takes longer than ten seconds ends it', async () => {
    const [lineOfAnn] = linePipe()
    const ann = side(ANN, BOB)
    void ann.attempt.run(lineOfAnn)
    await vi.advanceTimersByTimeAsync(9_999)
    expect(ann.attempt.ending).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    expect(ann.attempt.ending).toBe('broken-off')
  })
})

describe('whatever two persons do, and wherever the line breaks', () => {
  const act = fc.oneof(
    { weight: 6, arbitrary: fc.constant('confirm' as const) },
    { weight: 2, arbitrary: fc.constantFrom('refuse' as const, 'differ' as const, 'wait' as const) },
  )
  const step = fc.record({ who: fc.constantFrom('ann' as const, 'bob' as const), act, isQuick: fc.boolean() })

  test('no one is trusted before both confirmed, and one side alone only where one of the last two words was lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 5 }), fc.option(fc.nat(9)), async (steps, cutAt) => {
        let count = 0
        let lost: number | undefined
        const pairing = await begin({
          lose: (frame) => {
            const isLost = count === cutAt
            count += 1
            if (isLost) lost = frame[0]
            return isLost
          },
        })
        const confirmed = new Set<string>()
        const ended = new Set<string>()
        for (const { who, act: what, isQuick } of steps) {
          const { attempt } = pairing[who]
          if (!attempt.isOpen || attempt.code === undefined) continue
          if (what === 'confirm') {
            attempt.confirm()
            confirmed.add(who)
          } else if (what !== 'wait') {
            attempt.stop(what === 'refuse' ? 'refused' : 'differ', what === 'refuse' ? 'refused' : 'differ')
            ended.add(who)
          }
          if (!isQuick) await settled()
        }
        await settled()
        const [annTrusts, bobTrusts] = trusts(pairing)
        if (confirmed.size < 2) expect([annTrusts, bobTrusts]).toEqual([false, false])
        if (confirmed.size === 2 && ended.size === 0 && lost === undefined)
          expect([annTrusts, bobTrusts]).toEqual([true, true])
        if (annTrusts !== bobTrusts) {
          // Only `stored` is left to be said then, and the side that wrote says that it is not sure.
          expect(lost).toBe(6)
          expect([annTrusts, pairing.ann.attempt.ending]).toEqual([true, 'unsure'])
        }
        await vi.advanceTimersByTimeAsync(PERSON_MS + 20_000)
        expect(pairing.ann.attempt.isOpen).toBe(false)
        expect([pairing.ann.trusts(), pairing.bob.trusts()]).toEqual([annTrusts, bobTrusts])
      }),
      { numRuns: 400 },
    )
  })
})
