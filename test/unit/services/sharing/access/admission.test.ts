import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AppError } from '#shared/errors.js'
import type { Limits } from '#shared/limits.js'
import { monotonicClock } from '../../../../../src-main/base/clock.js'
import {
  createAdmission,
  type Admission,
  type ArrivingBody,
  type Asker,
  type SlotRequest,
} from '../../../../../src-main/services/sharing/access/index.js'
import { DEFAULT_LIMITS } from '../../../../fixtures/default-limits.js'

/** Tokens of today, by peer. */
const given = new Map<string, number>()
const trusted = new Set<string>()
const served = new Set<string>()

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  for (const facts of [given, trusted, served]) facts.clear()
})
afterEach(() => void vi.useRealTimers())

function admissionWith(limits: Partial<Limits> = {}): Admission & { change(limits: Partial<Limits>): void } {
  let current = { ...DEFAULT_LIMITS, ...limits }
  const admission = createAdmission({
    monotonic: monotonicClock,
    limits: () => current,
    ledger: {
      givenToday: (peerId) => ({ tokens: given.get(peerId) ?? 0, endsInMs: 3_600_500 }),
      wasServed: (peerId) => served.has(peerId),
    },
    isTrusted: (peerId) => trusted.has(peerId),
  })
  return Object.assign(admission, {
    change(changes: Partial<Limits>) {
      current = { ...current, ...changes }
      admission.limitsChanged()
    },
  })
}

/** Alone at its address, unless told. */
const askerOf = (peerId: string, source = `of ${peerId}`): Asker => ({ peerId, source, usesModel: true })

const HERE: ArrivingBody = { bytesCome: 0, isHere: true, isHeldUp: false }

const enter = (admission: Admission, peerId: string, source?: string): SlotRequest =>
  admission.enter(askerOf(peerId, source), HERE)

/** A request that waits for a slot; what became of it. */
function ask(
  admission: Admission,
  peerId: string,
  source?: string,
): { slot: SlotRequest; state: string; error: AppError | undefined } {
  const request: { slot: SlotRequest; state: string; error: AppError | undefined } = {
    slot: enter(admission, peerId, source),
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

/** A body that is on its way. */
class Coming implements ArrivingBody {
  bytesCome = 0
  isHere = false
  isHeldUp = false
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
    expect(refusal(() => enter(admission, 'c'))?.code).toBe('provider_busy')

    waiting.slot.release()
    await settled()

    expect(waiting.state).toBe('left')
    expect(admission.usage().queue.used).toBe(0)
    expect(refusal(() => enter(admission, 'c'))).toBeUndefined()
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

  test('a body that does not come holds neither a slot nor room in the queue', async () => {
    const admission = admissionWith({ concurrent: 1, queue: 1 })
    for (let count = 0; count < 10; count += 1) admission.enter(askerOf(`slow ${count}`), new Coming())
    const [quick, next] = [ask(admission, 'quick'), ask(admission, 'next')]
    await settled()
    expect([quick.state, next.state]).toEqual(['granted', 'waiting'])
    expect(admission.usage()).toMatchObject({ slots: { used: 1 }, queue: { used: 1 } })
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

describe('where an own request goes', () => {
  test('requests of peers that take every slot never make the owner look elsewhere, nor does a limit of none', () => {
    const admission = admissionWith({ concurrent: 2, queue: 4 })
    for (const peer of ['a', 'b', 'c']) ask(admission, peer)
    expect(admission.usage().slots).toEqual({ used: 2, total: 2 })
    expect(admission.hasRoom).toBe(true)
    expect(admissionWith({ concurrent: 0 }).hasRoom).toBe(true)
  })

  test('own requests that alone are as many as the slots let a further one go to others', () => {
    const admission = admissionWith({ concurrent: 2 })
    const ends = [admission.beginOwn(), admission.beginOwn()]
    expect(admission.hasRoom).toBe(false)
    ends[0]?.()
    expect(admission.hasRoom).toBe(true)
  })
})

describe('a body on its way', () => {
  test('a body that brings less than 1 KiB a second is ended with 408 after forty seconds', async () => {
    const admission = admissionWith()
    const [silent, dripping, moving] = [new Coming(), new Coming(), new Coming()]
    const [first, second, third] = [silent, dripping, moving].map((body) => admission.enter(askerOf('a'), body))
    const refused: (string | undefined)[] = []
    first!.onRefused(({ code }) => refused.push(code))
    for (let second = 0; second < 60; second += 1) {
      dripping.bytesCome += 900
      moving.bytesCome += 1100
      await vi.advanceTimersByTimeAsync(1_000)
      if (second === 38) expect(refused).toEqual([])
      if (second === 40) expect(refused).toEqual(['request_timeout'])
    }
    await expect(first!.acquire()).rejects.toMatchObject({ code: 'request_timeout', status: 408 })
    await expect(second!.acquire()).rejects.toMatchObject({ code: 'request_timeout' })
    expect(await third!.acquire()).toBe('granted')
  })

  test('a body that moves is ended after two minutes all the same when it is not here by then', async () => {
    const admission = admissionWith()
    const body = new Coming()
    const slot = admission.enter(askerOf('a'), body)
    for (let second = 0; second < 121; second += 1) {
      body.bytesCome += 5000
      await vi.advanceTimersByTimeAsync(1_000)
    }
    await expect(slot.acquire()).rejects.toMatchObject({ code: 'request_timeout' })
  })

  test('a body that streams through a slot is cut when it drips, and not while the server is what is slow', async () => {
    const admission = admissionWith({ concurrent: 2 })
    const [dripping, heldUp] = [new Coming(), new Coming()]
    const cut: string[] = []
    for (const [name, body] of Object.entries({ dripping, heldUp })) {
      const slot = admission.enter(askerOf(name), body)
      slot.onCut(({ code }) => {
        cut.push(`${name}: ${code}`)
        slot.release()
      })
      expect(await slot.acquire()).toBe('granted')
    }
    heldUp.isHeldUp = true
    await vi.advanceTimersByTimeAsync(300_000)
    expect(cut).toEqual(['dripping: request_timeout'])
    expect(admission.usage().slots.used).toBe(1)
  })

  test('a body that is here is watched no more', async () => {
    const admission = admissionWith()
    const body = new Coming()
    const slot = admission.enter(askerOf('a'), body)
    body.isHere = true
    expect(await slot.acquire()).toBe('granted')
    const cut: string[] = []
    slot.onCut(({ code }) => cut.push(code))
    await vi.advanceTimersByTimeAsync(300_000)
    expect(cut).toEqual([])
  })

  test('a body that dripped has cost its source its turn', async () => {
    const admission = admissionWith({ concurrent: 1 })
    const running = ask(admission, 'other')
    admission.enter(askerOf('drip', 'crowd'), new Coming())
    await vi.advanceTimersByTimeAsync(40_000)
    const [neighbour, later] = [ask(admission, 'neighbour', 'crowd'), ask(admission, 'later')]
    running.slot.release()
    await settled()
    expect([neighbour.state, later.state]).toEqual(['waiting', 'granted'])
  })

  test('a body on its way makes room for a younger one where its source has 64 on their way, and for one of a source with fewer', () => {
    const admission = admissionWith()
    const refused: string[] = []
    const begin = (peerId: string, source: string): void => {
      admission.enter(askerOf(peerId, source), new Coming()).onRefused(({ code }) => refused.push(`${peerId} ${code}`))
    }
    for (let count = 0; count < 64; count += 1) begin(`crowd ${count}`, 'crowd')
    begin('elsewhere', 'elsewhere')
    expect(refused).toEqual([])
    begin('crowd 64', 'crowd')
    expect(refused).toEqual(['crowd 0 provider_busy'])
    for (let count = 0; count < 255 - 64; count += 1) begin(`one ${count}`, `network ${count}`)
    expect(refused).toHaveLength(1)
    begin('one more', 'one more network')
    expect(refused).toEqual(['crowd 0 provider_busy', 'crowd 1 provider_busy'])
    trusted.add('friend')
    begin('friend', 'crowd')
    expect(refused).toHaveLength(3)
  })

  test('a body on its way is ended by a pause like those that wait', async () => {
    const admission = admissionWith()
    const slot = admission.enter(askerOf('a'), new Coming())
    admission.close(new AppError('no_provider', 'paused'))
    await expect(slot.acquire()).rejects.toMatchObject({ code: 'no_provider' })
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
            void waitAndWork(enter(admission, peerId))
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
    expect(refusal(() => enter(admission, 'bad'))?.code).toBe('peer_not_allowed')
    expect(refusal(() => enter(admission, 'good'))).toBeUndefined()
    admission.change({ allowedPeers: ['good', 'bad'] })
    expect(refusal(() => enter(admission, 'bad'))?.code).toBe('peer_not_allowed')
    expect(refusal(() => enter(admission, 'stranger'))?.code).toBe('peer_not_allowed')
    expect(refusal(() => enter(admission, 'good'))).toBeUndefined()
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

    expect(refusal(() => enter(admission, 'a'))).toMatchObject({
      ...{ code: 'rate_limited', status: 429, retryAfterS: 3601 },
      message: 'This peer may use 100 tokens a day. Try again tomorrow.',
    })
    expect(running.state).toBe('granted')
    running.slot.release()
    await settled()
    expect(waiting).toMatchObject({ state: 'refused', error: { code: 'rate_limited' } })
    expect(admission.usage()).toMatchObject({ limits: { tokensPerDay: 100 }, refused: [{ count: 2 }] })

    expect(refusal(() => admission.enter({ ...askerOf('a'), usesModel: false }, HERE))).toBeUndefined()
    expect(refusal(() => enter(admission, 'b'))).toBeUndefined()
    admission.change({ tokensPerDay: 101 })
    expect(refusal(() => enter(admission, 'a'))).toBeUndefined()
  })

  test('requests a minute are counted for each peer alone', async () => {
    const admission = admissionWith({ requestsPerMinute: 2, concurrent: 100 })
    expect([1, 2].map(() => refusal(() => enter(admission, 'a')))).toEqual([undefined, undefined])
    expect(refusal(() => enter(admission, 'a'))).toMatchObject({
      code: 'rate_limited',
      status: 429,
      retryAfterS: 30,
    })
    expect(refusal(() => enter(admission, 'b'))).toBeUndefined()
    vi.setSystemTime(Date.now() + 3_600_000)
    expect(refusal(() => admission.check(askerOf('a')))).toMatchObject({ retryAfterS: 30 })
    vi.setSystemTime(Date.now() - 7_200_000)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(refusal(() => enter(admission, 'a'))).toBeUndefined()
    expect(admission.usage().refused).toEqual([{ code: 'rate_limited', count: 2 }])
  })

  test('requests a minute are counted for the peers of one source together, trusted ones apart', async () => {
    trusted.add('friend')
    const admission = admissionWith({ sourceRequestsPerMinute: 2, concurrent: 100 })
    for (const peer of ['a', 'b']) expect(refusal(() => enter(admission, peer, 'crowd'))).toBeUndefined()
    expect(refusal(() => enter(admission, 'c', 'crowd'))).toMatchObject({ code: 'rate_limited', retryAfterS: 30 })
    expect(refusal(() => enter(admission, 'd', 'elsewhere'))).toBeUndefined()
    expect(refusal(() => enter(admission, 'friend', 'crowd'))).toBeUndefined()
    await vi.advanceTimersByTimeAsync(30_000)
    expect(refusal(() => enter(admission, 'c', 'crowd'))).toBeUndefined()
  })

  test('of what all strangers may ask in a minute one source gets half, and what it is refused counts for nobody', () => {
    const admission = admissionWith({ strangersRequestsPerMinute: 6, concurrent: 100 })
    const asked = Array.from({ length: 20 }, (_, count) => refusal(() => enter(admission, `s${count}`, 'crowd')))
    expect(asked.filter((error) => error === undefined)).toHaveLength(3)
    expect([1, 2, 3].map((count) => refusal(() => enter(admission, `p${count}`)))).toEqual(Array(3).fill(undefined))
    expect(refusal(() => enter(admission, 'p4'))).toMatchObject({ code: 'rate_limited', status: 429 })
    trusted.add('friend')
    expect(refusal(() => enter(admission, 'friend'))).toBeUndefined()
  })

  test('tokens are charged when an answer has ended: the next request waits until they are made up for', async () => {
    const admission = admissionWith({ tokensPerMinute: 60, concurrent: 100 })
    expect(refusal(() => enter(admission, 'a'))).toBeUndefined()
    admission.charge('a', 89)
    expect(refusal(() => enter(admission, 'a'))).toMatchObject({
      ...{ code: 'rate_limited', status: 429, retryAfterS: 30 },
      message: 'This peer may use 60 tokens a minute. Try again later.',
    })
    expect(refusal(() => admission.check({ ...askerOf('a'), usesModel: false }))).toBeUndefined()
    expect(refusal(() => enter(admission, 'b'))).toBeUndefined()
    await vi.advanceTimersByTimeAsync(30_000)
    expect(refusal(() => enter(admission, 'a'))).toBeUndefined()
  })

  test('tokens of one peer count for its source and for all strangers, and a trusted peer is not held to those', () => {
    trusted.add('friend')
    const source = admissionWith({ sourceTokensPerMinute: 100, concurrent: 100 })
    enter(source, 'a', 'crowd')
    source.charge('a', 100)
    source.charge('never asked', 1000)
    expect(refusal(() => enter(source, 'b', 'crowd'))?.code).toBe('rate_limited')
    expect(refusal(() => enter(source, 'c', 'elsewhere'))).toBeUndefined()
    expect(refusal(() => enter(source, 'friend', 'crowd'))).toBeUndefined()

    const all = admissionWith({ strangersTokensPerMinute: 100, concurrent: 100 })
    for (const peer of ['a', 'b', 'friend']) enter(all, peer)
    all.charge('friend', 1000)
    all.charge('a', 60)
    expect(refusal(() => enter(all, 'a'))?.code).toBe('rate_limited')
    expect(refusal(() => enter(all, 'b'))).toBeUndefined()
    all.charge('b', 45)
    expect(refusal(() => enter(all, 'c'))?.code).toBe('rate_limited')
    expect(refusal(() => enter(all, 'friend'))).toBeUndefined()
  })
})
