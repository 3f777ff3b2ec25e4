import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AppError } from '#shared/errors.js'
import type { Limits } from '#shared/limits.js'
import { monotonicClock } from '../../../../../src-main/base/clock.js'
import {
  createAdmission,
  type Admission,
  type Asker,
  type SlotRequest,
} from '../../../../../src-main/services/sharing/access/index.js'
import { DEFAULT_LIMITS } from '../../../../fixtures/default-limits.js'

/** Tokens of today, by peer. */
const given = new Map<string, number>()

beforeEach(() => void vi.useFakeTimers())
afterEach(() => given.clear())
afterEach(() => void vi.useRealTimers())

function admissionWith(limits: Partial<Limits> = {}): Admission & { change(limits: Partial<Limits>): void } {
  let current = { ...DEFAULT_LIMITS, ...limits }
  const admission = createAdmission({
    monotonic: monotonicClock,
    limits: () => current,
    ledger: { givenToday: (peerId) => ({ tokens: given.get(peerId) ?? 0, endsInMs: 3_600_500 }) },
  })
  return Object.assign(admission, {
    change(changes: Partial<Limits>) {
      current = { ...current, ...changes }
      admission.limitsChanged()
    },
  })
}

const askerOf = (peerId: string): Asker => ({ peerId, usesModel: true })

/** A request that waits for a slot; what became of it. */
function ask(admission: Admission, peerId: string): { slot: SlotRequest; state: string; error: AppError | undefined } {
  const request: { slot: SlotRequest; state: string; error: AppError | undefined } = {
    slot: admission.enter(askerOf(peerId)),
    state: 'waiting',
    error: undefined,
  }
  request.slot.acquire().then(
    (outcome) => (request.state = outcome),
    (error: unknown) => {
      request.state = 'refused'
      request.error = error as AppError
    },
  )
  return request
}

const settled = () => vi.advanceTimersByTimeAsync(0)

const refusal = (act: () => unknown): AppError | undefined => {
  try {
    act()
    return undefined
  } catch (error) {
    return error as AppError
  }
}

describe('slots', () => {
  test('are given up to the limit, and to who waits when one is free', async () => {
    const admission = admissionWith({ concurrent: 2 })
    const requests = ['a', 'b', 'c'].map((peer) => ask(admission, peer))
    await settled()
    expect(requests.map(({ state }) => state)).toEqual(['granted', 'granted', 'waiting'])

    requests[0]!.slot.release()
    requests[0]!.slot.release()
    await settled()

    expect(requests[2]!.state).toBe('granted')
    expect(admission.usage()).toMatchObject({ slots: { used: 2, total: 2 }, queue: { used: 0 } })
  })

  test('the usage says who has them, and what each was given today', async () => {
    const admission = admissionWith({ concurrent: 1 })
    given.set('b', 70)
    ask(admission, 'a')
    ask(admission, 'b')
    await settled()
    expect(admission.usage().consumers).toEqual([
      { peerId: 'a', running: 1, waiting: 0, tokensToday: 0 },
      { peerId: 'b', running: 0, waiting: 1, tokensToday: 70 },
    ])
  })

  test('a client that leaves the queue frees its room there at once', async () => {
    const admission = admissionWith({ concurrent: 1, queue: 1 })
    ask(admission, 'a')
    const waiting = ask(admission, 'b')
    await settled()
    expect(refusal(() => admission.enter(askerOf('c')))?.code).toBe('provider_busy')

    waiting.slot.release()
    await settled()

    expect(waiting.state).toBe('left')
    expect(admission.usage().queue.used).toBe(0)
    expect(refusal(() => admission.enter(askerOf('c')))).toBeUndefined()
  })

  test('who waits too long is told to try again', async () => {
    const admission = admissionWith({ concurrent: 1 })
    ask(admission, 'a')
    const late = ask(admission, 'b')
    await vi.advanceTimersByTimeAsync(9_999)
    expect(late.state).toBe('waiting')
    await vi.advanceTimersByTimeAsync(1)

    expect(late).toMatchObject({ state: 'refused', error: { code: 'provider_busy', retryAfterS: 5 } })
    expect(admission.usage().queue.used).toBe(0)
  })

  test('a body that never arrives holds room in the queue for two minutes and never a slot', async () => {
    const admission = admissionWith({ concurrent: 1, queue: 2 })
    const slow = admission.enter(askerOf('slow'))
    const quick = ask(admission, 'quick')
    await settled()
    expect(quick.state).toBe('granted')
    await vi.advanceTimersByTimeAsync(120_000)

    await expect(slow.acquire()).rejects.toMatchObject({ code: 'provider_busy' })
    expect(admission.usage().queue.used).toBe(0)
  })

  test('a raised limit lets waiting ones in at once', async () => {
    const admission = admissionWith({ concurrent: 0 })
    const request = ask(admission, 'a')
    await settled()
    expect(request.state).toBe('waiting')
    admission.change({ concurrent: 1 })
    await settled()
    expect(request.state).toBe('granted')
  })
})

describe('the owner', () => {
  test('never waits, and peers get the slots that are left', async () => {
    const admission = admissionWith({ concurrent: 2 })
    const endOwn = admission.beginOwn()
    const [first, second] = [ask(admission, 'a'), ask(admission, 'b')]
    await settled()
    expect([first.state, second.state]).toEqual(['granted', 'waiting'])
    const endMore = [admission.beginOwn(), admission.beginOwn()]
    first.slot.release()
    await settled()
    expect(second.state).toBe('waiting')

    for (const end of [endOwn, ...endMore, endOwn]) end()
    await settled()

    expect(second.state).toBe('granted')
    expect(admission.usage().ownRunning).toBe(0)
  })
})

describe('fairness', () => {
  test('one greedy peer with 100 requests leaves the two others at least 30 % of the slots each', async () => {
    const admission = admissionWith({ concurrent: 4, queue: 16, queueTimeMs: 60_000 })
    const served = new Map<string, number>()
    const refused: AppError[] = []
    const atWork: (() => void)[] = []
    const peers: (() => void)[] = []

    /** A peer that has `parallel` requests open whenever it may; refused, it asks again after the next answer. */
    function addPeer(peerId: string, parallel: number): void {
      let open = 0
      async function waitAndWork(slot: SlotRequest): Promise<void> {
        open += 1
        try {
          await slot.acquire()
        } catch (error) {
          open -= 1
          refused.push(error as AppError)
          return
        }
        served.set(peerId, (served.get(peerId) ?? 0) + 1)
        atWork.push(() => {
          open -= 1
          slot.release()
        })
      }
      peers.push(() => {
        while (open < parallel) {
          try {
            void waitAndWork(admission.enter(askerOf(peerId)))
          } catch (error) {
            refused.push(error as AppError)
            return
          }
        }
      })
    }

    /** Lets the oldest request at work end, that many times. */
    async function answer(count: number): Promise<void> {
      for (let done = 0; done < count; done += 1) {
        for (const ask of peers) ask()
        await settled()
        atWork.shift()?.()
        await settled()
      }
    }

    addPeer('greedy', 100)
    await answer(12)
    served.clear()
    addPeer('modest', 3)
    addPeer('other', 3)
    await answer(240)

    const all = [...served.values()].reduce((sum, count) => sum + count, 0)
    expect(all).toBeGreaterThan(200)
    expect(served.get('modest')! / all).toBeGreaterThanOrEqual(0.3)
    expect(served.get('other')! / all).toBeGreaterThanOrEqual(0.3)
    expect(refused.length).toBeGreaterThan(50)
    for (const error of refused) {
      expect(error.status).toBe(429)
      expect(error.retryAfterS).toBeGreaterThan(0)
    }
  })

  test('a full queue makes room for a peer that has less in it', async () => {
    const admission = admissionWith({ concurrent: 1, queue: 3 })
    const greedy = [1, 2, 3, 4].map(() => ask(admission, 'greedy'))
    const modest = ask(admission, 'modest')
    await settled()

    expect(greedy.map(({ state }) => state)).toEqual(['granted', 'waiting', 'waiting', 'refused'])
    expect(modest.state).toBe('waiting')
    greedy[0]!.slot.release()
    await settled()
    expect(modest.state).toBe('granted')
  })
})

describe('who may ask', () => {
  test('a blocked peer may not, and with a list only those on it', () => {
    const admission = admissionWith({ blockedPeers: ['bad'] })
    expect(refusal(() => admission.enter(askerOf('bad')))?.code).toBe('peer_not_allowed')
    expect(refusal(() => admission.enter(askerOf('good')))).toBeUndefined()
    admission.change({ allowedPeers: ['good', 'bad'] })
    expect(refusal(() => admission.enter(askerOf('bad')))?.code).toBe('peer_not_allowed')
    expect(refusal(() => admission.enter(askerOf('stranger')))?.code).toBe('peer_not_allowed')
    expect(refusal(() => admission.enter(askerOf('good')))).toBeUndefined()
  })

  test('a peer that is blocked while its requests wait gets no slot', async () => {
    const admission = admissionWith({ concurrent: 1 })
    const first = ask(admission, 'a')
    const [blocked, other] = [ask(admission, 'b'), ask(admission, 'c')]
    await settled()
    admission.change({ blockedPeers: ['b'] })
    first.slot.release()
    await settled()

    expect(blocked).toMatchObject({ state: 'refused', error: { code: 'peer_not_allowed' } })
    expect(other.state).toBe('granted')
    expect(admission.usage()).toMatchObject({ queue: { used: 0 }, refused: [{ code: 'peer_not_allowed', count: 1 }] })
  })

  test('a peer that has had its tokens of today gets no model until the day ends', async () => {
    const admission = admissionWith({ tokensPerDay: 100, concurrent: 1 })
    given.set('a', 99)
    const running = ask(admission, 'a')
    const waiting = ask(admission, 'a')
    await settled()
    given.set('a', 100)

    expect(refusal(() => admission.enter(askerOf('a')))).toMatchObject({
      ...{ code: 'rate_limited', status: 429, retryAfterS: 3601 },
      message: 'This peer may use 100 tokens a day. Try again tomorrow.',
    })
    expect(running.state).toBe('granted')
    running.slot.release()
    await settled()
    expect(waiting).toMatchObject({ state: 'refused', error: { code: 'rate_limited' } })
    expect(admission.usage()).toMatchObject({ limits: { tokensPerDay: 100 }, refused: [{ count: 2 }] })

    expect(refusal(() => admission.enter({ peerId: 'a', usesModel: false }))).toBeUndefined()
    expect(refusal(() => admission.enter(askerOf('b')))).toBeUndefined()
    admission.change({ tokensPerDay: 101 })
    expect(refusal(() => admission.enter(askerOf('a')))).toBeUndefined()
  })

  test('requests a minute are counted for each peer alone', async () => {
    const admission = admissionWith({ requestsPerMinute: 2, concurrent: 100 })
    expect([1, 2].map(() => refusal(() => admission.enter(askerOf('a'))))).toEqual([undefined, undefined])
    expect(refusal(() => admission.enter(askerOf('a')))).toMatchObject({
      code: 'rate_limited',
      status: 429,
      retryAfterS: 30,
    })
    expect(refusal(() => admission.enter(askerOf('b')))).toBeUndefined()
    vi.setSystemTime(Date.now() + 3_600_000)
    expect(refusal(() => admission.check(askerOf('a')))).toMatchObject({ retryAfterS: 30 })
    vi.setSystemTime(Date.now() - 7_200_000)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(refusal(() => admission.enter(askerOf('a')))).toBeUndefined()
    expect(admission.usage().refused).toEqual([{ code: 'rate_limited', count: 2 }])
  })
})
