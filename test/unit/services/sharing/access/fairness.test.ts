import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Limits } from '#shared/limits.js'
import {
  createAdmission,
  type Admission,
  type Asker,
  type SlotRequest,
} from '../../../../../src-main/services/sharing/access/index.js'
import { DEFAULT_LIMITS } from '../../../../fixtures/default-limits.js'
import { createRandom } from '../../../../fixtures/table-owners.js'

/** What a peer is called says what it is: `trusted`, `newborn` or, having been served before, neither. */
const isTrusted = (peerId: string): boolean => peerId.startsWith('trusted')
const wasServed = (peerId: string): boolean => !peerId.startsWith('newborn')

/** Peers of any number of sources whose requests all wait from the beginning, and which ones have a slot. */
class Crowd {
  readonly admission: Admission
  readonly running = new Map<SlotRequest, Asker>()
  readonly waiting = new Map<SlotRequest, Asker>()
  /** Who was given a slot, in order, and whom it was given over. */
  readonly granted: { to: Asker; over: Asker[]; running: Asker[] }[] = []
  refused = 0

  constructor(limits: Partial<Limits>) {
    const all = { ...DEFAULT_LIMITS, queueTimeMs: 300_000, ...limits }
    let elapsedMs = 0
    this.admission = createAdmission({
      monotonic: { elapsedMs: () => (elapsedMs += 1) },
      limits: () => all,
      ledger: { givenToday: () => ({ tokens: 0, endsInMs: 0 }), wasServed },
      isTrusted,
    })
    crowds.push(this)
  }

  async ask(asker: Asker): Promise<void> {
    let slot: SlotRequest
    try {
      slot = this.admission.enter(asker, { bytesCome: 0, isHere: true, isHeldUp: false })
    } catch {
      this.refused += 1
      return
    }
    this.waiting.set(slot, asker)
    slot.acquire().then(
      () => {
        this.waiting.delete(slot)
        const [over, running] = [[...this.waiting.values()], [...this.running.values()]]
        this.granted.push({ to: asker, over, running })
        this.running.set(slot, asker)
      },
      () => {
        this.waiting.delete(slot)
        this.refused += 1
      },
    )
    await settled()
  }

  /** Ends one that runs; its peer asks again at once. */
  async end(index: number): Promise<void> {
    const [slot, asker] = [...this.running][index % this.running.size]!
    this.running.delete(slot)
    slot.release()
    await settled()
    await this.ask(asker)
  }

  stop(): void {
    for (const slot of [...this.running.keys(), ...this.waiting.keys()]) slot.release()
  }
}

const crowds: Crowd[] = []
afterEach(() => {
  for (const crowd of crowds.splice(0)) crowd.stop()
})

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const askersOf = (sources: readonly { peers: number; parallel: number }[], kind = 'peer'): Asker[] =>
  sources.flatMap(({ peers, parallel }, source) =>
    Array.from({ length: peers * parallel }, (_, number) => ({
      ...{ peerId: `${kind} ${source}.${number % peers}`, source: `${kind} source ${source}`, usesModel: true },
    })),
  )

const count = (askers: Iterable<Asker>, key: (asker: Asker) => string): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const asker of askers) counts.set(key(asker), (counts.get(key(asker)) ?? 0) + 1)
  return counts
}
const sourceOf = ({ source }: Asker): string => source
const isNewborn = ({ peerId }: Asker): boolean => peerId.startsWith('newborn')

const sources = fc.array(
  fc.record({ peers: fc.integer({ min: 1, max: 6 }), parallel: fc.integer({ min: 1, max: 3 }) }),
  {
    minLength: 2,
    maxLength: 5,
  },
)
const seeds = fc.integer({ min: 1, max: 1_000_000 })
const FEW = { numRuns: 40 }

describe('of sources that always have requests waiting', () => {
  test('each waiting source gets the same share of the slots, within one, whatever ends when and however many peers it has', async () => {
    const run = async (mix: { peers: number; parallel: number }[], slots: number, seed: number): Promise<void> => {
      const random = createRandom(seed)
      const crowd = new Crowd({ concurrent: slots, queue: 1000 })
      // Enough of each that it always waits.
      const askers = askersOf(mix.map(({ peers, parallel }) => ({ peers, parallel: parallel + slots })))
      const beginning = crowd.admission.beginOwn()
      const owners = Array.from({ length: slots }, () => crowd.admission.beginOwn())
      for (const asker of askers) await crowd.ask(asker)
      for (const end of [beginning, ...owners]) end()
      await settled()
      expect(crowd.refused).toBe(0)
      for (let step = 0; step < 60; step += 1) {
        const shares = [...mix.keys()].map(
          (source) => count(crowd.running.values(), sourceOf).get(`peer source ${source}`) ?? 0,
        )
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
        await crowd.end(Math.floor(random() * 1000))
      }
    }
    await fc.assert(fc.asyncProperty(sources, fc.integer({ min: 1, max: 8 }), seeds, run), FEW)
  })

  test('each waiting source is given the same number of turns, within one, and so is each peer within its source', async () => {
    const run = async (mix: { peers: number; parallel: number }[], slots: number): Promise<void> => {
      const crowd = new Crowd({ concurrent: slots, queue: 1000 })
      const owners = Array.from({ length: slots }, () => crowd.admission.beginOwn())
      for (const asker of askersOf(mix.map(({ peers, parallel }) => ({ peers, parallel: parallel + slots })))) {
        await crowd.ask(asker)
      }
      for (const end of owners) end()
      await settled()
      // In the order they began: all answers take the same time.
      for (let step = 0; step < 60; step += 1) await crowd.end(0)
      const askers = crowd.granted.map(({ to }) => to)
      const turns = [...mix.keys()].map((source) => count(askers, sourceOf).get(`peer source ${source}`) ?? 0)
      expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(1)
      for (const [source, { peers }] of mix.entries()) {
        const byPeer = count(
          askers.filter((asker) => asker.source === `peer source ${source}`),
          ({ peerId }) => peerId,
        )
        const each = Array.from({ length: peers }, (_, number) => byPeer.get(`peer ${source}.${number}`) ?? 0)
        expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(1)
      }
    }
    await fc.assert(fc.asyncProperty(sources, fc.integer({ min: 1, max: 8 }), run), FEW)
  })
})

const kinds = fc.constantFrom('peer', 'newborn', 'trusted')
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: kinds, source: fc.integer({ min: 0, max: 4 }), peer: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ end: fc.nat() }),
  ),
  { minLength: 20, maxLength: 120 },
)

describe('whatever comes and goes', () => {
  test('a slot goes to no source while one with fewer waits, and to no stranger while a trusted peer waits', async () => {
    const run = async (mix: Step[], slots: number): Promise<void> => {
      const crowd = await played(mix, { concurrent: slots, queue: 12 })
      for (const { to, over, running } of crowd.granted) {
        if (!isTrusted(to.peerId)) expect(over.filter(({ peerId }) => isTrusted(peerId))).toEqual([])
        const counts = count(running, shareOf)
        const alike = over.filter((other) => kindOf(other) === kindOf(to))
        for (const other of alike) {
          expect(counts.get(shareOf(to)) ?? 0).toBeLessThanOrEqual(counts.get(shareOf(other)) ?? 0)
        }
      }
    }
    await fc.assert(fc.asyncProperty(steps, fc.integer({ min: 1, max: 6 }), run), FEW)
  })

  test('newborn peers get no more than half of the slots while others wait for one', async () => {
    const run = async (mix: Step[], slots: number): Promise<void> => {
      const crowd = await played(mix, { concurrent: slots, queue: 12 })
      const half = Math.max(1, Math.floor(slots / 2))
      for (const { to, over, running } of crowd.granted) {
        if (!isNewborn(to) || !over.some((other) => !isNewborn(other))) continue
        expect(running.filter(isNewborn).length).toBeLessThan(half)
      }
    }
    await fc.assert(fc.asyncProperty(steps, fc.integer({ min: 1, max: 6 }), run), FEW)
  })

  test('a full queue refuses nobody while another source has more than one request more in it', async () => {
    const run = async (mix: Step[]): Promise<void> => {
      const crowd = await played(mix, { concurrent: 1, queue: 6 })
      const before = [...crowd.waiting.values()]
      if (before.length < 6) return
      for (const source of [0, 1, 2, 3, 4]) {
        const newcomer = { peerId: `peer ${source}.9`, source: `source ${source}`, usesModel: true }
        const strangers = [...crowd.waiting.values()].filter(({ peerId }) => !isTrusted(peerId))
        const counts = count(strangers, sourceOf)
        const refused = crowd.refused
        await crowd.ask(newcomer)
        const isIn = [...crowd.waiting.values()].includes(newcomer)
        if (isIn) continue
        expect(crowd.refused).toBeGreaterThan(refused)
        expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual((counts.get(newcomer.source) ?? 0) + 1)
        expect(strangers.filter(isNewborn).length).toBeLessThanOrEqual(3)
      }
    }
    await fc.assert(fc.asyncProperty(steps, run), FEW)
  })
})

type Step = { kind: string; source: number; peer: number } | { end: number }

async function played(mix: readonly Step[], limits: Partial<Limits>): Promise<Crowd> {
  const crowd = new Crowd(limits)
  for (const step of mix) {
    if (!('end' in step)) {
      const { kind, source, peer } = step
      await crowd.ask({ peerId: `${kind} ${source}.${peer}`, source: `source ${source}`, usesModel: true })
    } else if (crowd.running.size > 0) await crowd.end(step.end)
  }
  return crowd
}

/** A trusted peer is a source of its own. */
const shareOf = ({ peerId, source }: Asker): string => (isTrusted(peerId) ? peerId : source)
const kindOf = ({ peerId }: Asker): string => peerId.split(' ')[0] ?? ''

test('a full queue of strangers makes room for a trusted peer, and newborn ones beyond half of it for one served before', async () => {
  const crowd = new Crowd({ concurrent: 0, queue: 4 })
  for (const source of [0, 1, 2, 3]) {
    await crowd.ask({ peerId: `newborn ${source}.0`, source: `source ${source}`, usesModel: true })
  }
  const inQueue = (): string[] => [...crowd.waiting.values()].map(({ peerId }) => peerId)
  await crowd.ask({ peerId: 'newborn 9.0', source: 'source 9', usesModel: true })
  expect(inQueue()).toHaveLength(4)
  expect(inQueue()).not.toContain('newborn 9.0')
  for (const source of [4, 5, 6]) {
    await crowd.ask({ peerId: `peer ${source}.0`, source: `source ${source}`, usesModel: true })
  }
  expect(inQueue().filter((peerId) => peerId.startsWith('newborn'))).toHaveLength(2)
  expect(inQueue()).toEqual(expect.arrayContaining(['peer 4.0', 'peer 5.0']))
  for (const number of [0, 1, 2, 3]) {
    await crowd.ask({ peerId: `trusted 0.${number}`, source: 'source 0', usesModel: true })
  }
  expect(inQueue()).toEqual([0, 1, 2, 3].map((number) => `trusted 0.${number}`))
  await crowd.ask({ peerId: 'peer 7.0', source: 'source 7', usesModel: true })
  expect(inQueue()).not.toContain('peer 7.0')
})
