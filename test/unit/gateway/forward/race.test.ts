import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AppError } from '#shared/errors.js'
import { BodyMemory } from '../../../../src-main/gateway/body/body-memory.js'
import { ClientGoneError, readBody } from '../../../../src-main/gateway/body/read-body.js'
import type { Exchange } from '../../../../src-main/gateway/forward/exchange.js'
import { createForwarder, type ForwarderNeeds } from '../../../../src-main/gateway/forward/forwarder.js'
import { Reply } from '../../../../src-main/gateway/forward/reply.js'
import type { Provider } from '../../../../src-main/gateway/routing/choose-providers.js'
import { Patience, PATIENCE } from '../../../../src-main/gateway/routing/patience.js'
import { createProviderScores } from '../../../../src-main/gateway/routing/provider-scores.js'
import type { AnswerHandler, HttpRequest } from '../../../../src-main/http-client/index.js'
import { startTestServer, type TestServer } from '../../../fixtures/http-server.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { workWithoutPrompt } from '../../../fixtures/request-work.js'
import { until } from '../../../fixtures/until.js'

const EVENT = 'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n'
const EVENTS = { 'content-type': 'text/event-stream' }
/** An unknown provider keeps a request waiting for so long before the next is asked. */
const PATIENCE_MS = 200

/** One request at one provider, which the test answers. */
class Asked {
  readonly peerId: string
  readonly #handler: AnswerHandler
  isAborted = false

  constructor(peerId: string, handler: AnswerHandler) {
    this.peerId = peerId
    this.#handler = handler
    handler.onStart({
      pause: () => undefined,
      resume: () => undefined,
      abort: (error) => {
        if (this.isAborted) return
        this.isAborted = true
        handler.onError(error)
      },
    })
  }

  head(status = 200, headers: Record<string, string> = EVENTS): void {
    this.#handler.onHead(status, headers)
  }

  says(text: string): void {
    if (!this.isAborted) this.#handler.onData(Buffer.from(text))
  }

  ends(): void {
    if (!this.isAborted) this.#handler.onEnd()
  }

  answers(): void {
    this.head()
    this.says(EVENT)
    this.ends()
  }
}

/** A request without a prompt. */
const WORK = workWithoutPrompt('llm')

interface Front {
  asked: Asked[]
  /** Waits for the n-th request at any provider. */
  nth: (count: number) => Promise<Asked>
  scores: ReturnType<typeof createProviderScores>
  failures: string[]
  /** What the first request that is not answered ends with. */
  ended: Promise<unknown>
  ask: (init?: RequestInit) => Promise<Response>
}

let server: TestServer | undefined
beforeEach(() => void (server = undefined))
afterEach(() => server?.close())

interface Options {
  service?: string
  exposure?: number
  patienceMs?: number
  /** Answers are streamed at `/api/chat` unless the request asks otherwise. */
  path?: string
  hedge?: boolean
  /** Peers to ask next where these were asked. */
  chooseAgain?: (asked: ReadonlySet<string>) => string[]
  /** Whom the network knows besides. */
  findMore?: (asked: ReadonlySet<string>) => Promise<string[]>
  /** Peers that are not connected. */
  away?: string[]
  trusted?: string[]
}

const asProviders = (peerIds: readonly string[]): Provider[] => peerIds.map((peerId) => ({ kind: 'peer', peerId }))

/** A gateway before these providers, asked in that order. */
async function front(peerIds: string[], options: Options = {}): Promise<Front> {
  const { service = 'llm', exposure = 2, patienceMs = PATIENCE_MS, path = '/x', hedge = true } = options
  const { chooseAgain, findMore, away = [], trusted = [] } = options
  const asked: Asked[] = []
  const failing = Promise.withResolvers<unknown>()
  const failures: string[] = []
  const scores = createProviderScores({ monotonic: { elapsedMs: () => performance.now() } })
  const limits = { ...PATIENCE, floorMs: patienceMs, unknownStreamedMs: patienceMs, unknownWholeMs: patienceMs }
  const needs = {
    host: { peerId: 'self', isConnected: (peerId: string) => !away.includes(peerId), connectionsTo: () => [] },
    loops: { begin: () => () => undefined, isProven: () => false },
    reach: { isTrusted: (peerId: string) => trusted.includes(peerId) },
    peerClients: {
      to: (peerId: string) => ({
        send: (_request: HttpRequest, handler: AnswerHandler) => void asked.push(new Asked(peerId, handler)),
      }),
    },
    registry: {},
    health: {
      reportSuccess: () => undefined,
      reportMissing: () => undefined,
      reportOfferFailure: (peerId: string) => failures.push(peerId),
      whyBrokenOff: () => Promise.resolve(undefined),
      reportEnd: () => true,
    },
    scores,
    patience: new Patience(limits),
    paths: { pathTo: () => null },
    table: { subscribe: () => () => undefined },
    log: createRecordingLog(),
  } as unknown as ForwarderNeeds
  const forwarder = createForwarder(needs, {
    ...{ 'gateway.idle-timeout': 300_000, 'use.exposure': exposure, 'use.hedge': hedge, 'use.continue': 'off' },
  })
  const traffic = { update() {}, firstByte() {}, addBytes() {}, attempted() {}, finish() {} }
  const bodies = new BodyMemory(() => 1024 * 1024)
  const again = chooseAgain && ((ids: ReadonlySet<string>) => asProviders(chooseAgain(ids)))
  const more = findMore && (async (ids: ReadonlySet<string>) => asProviders(await findMore(ids)))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = new Reply(response, { listener: 'local', requestId: 'r1' })
    const exchange = {
      ...{ listener: 'local', requestId: 'r1', hops: 'self', traffic, request, reply, startedAt: performance.now() },
      memory: bodies.hold(undefined),
      body: { kind: 'read', bytes: (await readBody(request, { maxBytes: 1024 })).bytes },
    } as Exchange
    try {
      await forwarder.toProviders(
        exchange,
        { service, path, what: 'the model', work: WORK, considered: [], chooseAgain: again, findMore: more },
        asProviders(peerIds),
      )
    } catch (error) {
      failing.resolve(error)
      response.writeHead(error instanceof AppError ? error.status : 500).end()
    }
  }
  const started = await startTestServer((request, response) => void answer(request, response))
  server = started
  return {
    ...{ asked, scores, failures, ended: failing.promise },
    nth: (count) => until(() => asked[count - 1], { what: `request ${count} has come`, everyMs: 1 }),
    ask: (init) => fetch(started.origin, { method: 'POST', body: '{}', ...init }),
  }
}

describe('a provider that keeps a request waiting', () => {
  test.each<[string, (asked: Asked) => void]>([
    ['says nothing', () => undefined],
    ['sends a head and nothing else', (asked) => asked.head()],
    [
      'drips',
      (asked) => {
        asked.head()
        asked.says('data')
      },
    ],
    [
      'sends nothing but comments',
      (asked) => {
        asked.head()
        asked.says(': keep-alive, please wait\n\n')
      },
    ],
  ])('a provider that %s is overtaken by the next one, left, and asked last from then on', async (_what, act) => {
    const { ask, nth, scores } = await front(['liar', 'honest'])
    const answered = ask()
    const liar = await nth(1)
    act(liar)
    const honest = await nth(2)
    expect(scores.refusedLately('liar')).toBe(true)
    honest.answers()
    const response = await answered
    expect(await response.text()).toBe(EVENT)
    expect(response.headers.get('x-computing-node')).toBe('honest')
    expect([response.headers.get('x-ocf-tries'), response.headers.get('x-ocf-sent-to')]).toEqual(['2', '2'])
    expect(liar.isAborted).toBe(true)
    expect([scores.refusedLately('liar'), scores.refusedLately('honest')]).toEqual([true, false])
    expect(scores.estimate('liar', WORK.at('liar')).totalMs).toBeGreaterThan(PATIENCE_MS / 2)
  })

  test('a provider that answers although the next one was asked is the client’s, and the next one is not blamed', async () => {
    const { ask, nth, scores, failures } = await front(['slow', 'next'])
    const answered = ask()
    const slow = await nth(1)
    slow.head()
    const next = await nth(2)
    slow.says(EVENT)
    slow.ends()
    expect(await (await answered).text()).toBe(EVENT)
    expect(next.isAborted).toBe(true)
    expect(failures).toEqual([])
    await until(() => scores.load('next').inFlight === 0, { what: 'the next one is left' })
    expect(scores.refusedLately('next')).toBe(false)
  })

  test('what a provider had sent while its head waited is not mixed into the answer of another', async () => {
    const { ask, nth } = await front(['liar', 'honest'])
    const answered = ask()
    const liar = await nth(1)
    liar.head()
    liar.says('data: stolen')
    const honest = await nth(2)
    honest.answers()
    liar.says(' words that come late\n\n')
    liar.ends()
    expect(await (await answered).text()).toBe(EVENT)
  })

  test('the only provider’s head goes to the client at once, and it is waited for', async () => {
    const { ask, nth, asked } = await front(['only'])
    const answered = ask()
    const only = await nth(1)
    only.head()
    const response = await answered
    expect(response.headers.get('x-computing-node')).toBe('only')
    only.says(EVENT)
    only.ends()
    expect(await response.text()).toBe(EVENT)
    expect(asked).toHaveLength(1)
  })

  test('a head that waited goes to the client once the other provider has failed', async () => {
    const { ask, nth } = await front(['slow', 'broken'])
    const answered = ask()
    const slow = await nth(1)
    slow.head()
    const broken = await nth(2)
    broken.head(503, {})
    broken.ends()
    const response = await answered
    expect([response.status, response.headers.get('x-computing-node')]).toEqual([200, 'slow'])
    slow.says(EVENT)
    slow.ends()
    expect(await response.text()).toBe(EVENT)
  })

  test('a request is shown to no more strangers for the sake of speed than the exposure allows', async () => {
    const { ask, nth, asked } = await front(['liar', 'honest'], { exposure: 1 })
    const answered = ask()
    const liar = await nth(1)
    liar.head()
    expect((await answered).headers.get('x-computing-node')).toBe('liar')
    liar.says(EVENT)
    liar.ends()
    expect(asked).toHaveLength(1)
  })

  test('a service that is no model may take what time it likes: its head goes out and nobody else is asked', async () => {
    const { ask, nth, asked } = await front(['one', 'two'], { service: 'tool' })
    const answered = ask()
    const one = await nth(1)
    one.head()
    expect((await answered).headers.get('x-computing-node')).toBe('one')
    one.ends()
    expect(asked).toHaveLength(1)
  })

  test('sixteen requests at a time are sent to a second provider, and the next one when one of them is answered', async () => {
    const { ask, asked, scores } = await front(['slow', 'next'])
    // It has room for all: none of them is expected to queue there.
    scores.reported('slow', { slots: 32, queued: 0 })
    const answers = Array.from({ length: 17 }, () => ask())
    const next = (): Asked[] => asked.filter(({ peerId }) => peerId === 'next')
    await until(() => next().length === 16, { what: 'as many as may be are doubled', everyMs: 1 })
    const since = performance.now()
    await until(() => performance.now() - since > PATIENCE_MS * 2, { what: 'the last one has waited long enough' })
    expect(next()).toHaveLength(16)
    next()[0]?.answers()
    await until(() => next().length === 17, { what: 'there is room for it' })
    for (const one of next().slice(1)) one.answers()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array.from(answers, () => 200))
  })

  test('after a refusal those come next that are the best then, four in all, and none is asked twice', async () => {
    const known: string[][] = []
    const peers = ['first', 'second', 'third', 'fourth', 'fifth']
    const chooseAgain = (asked: ReadonlySet<string>): string[] => {
      known.push([...asked])
      return peers.filter((peerId) => !asked.has(peerId)).toReversed()
    }
    const { ask, nth, asked } = await front(peers.slice(0, 4), { exposure: 5, chooseAgain })
    const answered = ask()
    for (let count = 1; count <= 4; count += 1) {
      const one = await nth(count)
      one.head(429, {})
      one.ends()
    }
    expect((await answered).status).toBe(429)
    expect(asked.map(({ peerId }) => peerId)).toEqual(['first', 'fifth', 'fourth', 'third'])
    expect(known.slice(0, 2)).toEqual([['first'], ['first', 'fifth']])
  })

  test('where nobody is left, others are looked for and waited for', async () => {
    const found = Promise.withResolvers<string[]>()
    const looked: string[][] = []
    const findMore = (asked: ReadonlySet<string>): Promise<string[]> => {
      looked.push([...asked])
      return found.promise
    }
    const { ask, nth } = await front(['liar'], { findMore })
    const answered = ask()
    const liar = await nth(1)
    liar.head(503, {})
    liar.ends()
    await until(() => looked.length === 1, { what: 'others are looked for' })
    found.resolve(['honest'])
    const honest = await nth(2)
    honest.answers()
    const response = await answered
    expect([response.status, response.headers.get('x-computing-node')]).toEqual([200, 'honest'])
    expect([honest.peerId, looked]).toEqual(['honest', [['liar']]])
  })

  test('nobody is looked for once as many strangers as may have read the request, and none is found where there is none', async () => {
    const looked: number[] = []
    const findMore = (asked: ReadonlySet<string>): Promise<string[]> => {
      looked.push(asked.size)
      return Promise.resolve(asked.size === 1 ? ['second'] : ['third'])
    }
    const { ask, nth } = await front(['first'], { findMore })
    const answered = ask()
    for (const count of [1, 2]) {
      const one = await nth(count)
      one.head(503, {})
      one.ends()
    }
    expect([(await answered).status, looked]).toEqual([503, [1]])
    await server?.close()
    const nobody = await front(['first'], { findMore: () => Promise.resolve([]) })
    const failed = nobody.ask()
    const one = await nobody.nth(1)
    one.head(503, {})
    one.ends()
    expect((await failed).status).toBe(503)
  })

  test.each([
    ['are asked at once with others that are looked for', ['found'], ['first', 'found']],
    ['are asked one by one where nobody is found', [], ['first', 'away']],
  ])('those that may not be there %s', async (_what, more, expected) => {
    const { ask, nth, asked } = await front(['first', 'away'], {
      away: ['away'],
      findMore: () => Promise.resolve(more),
    })
    const answered = ask()
    const first = await nth(1)
    first.head(503, {})
    first.ends()
    const second = await nth(2)
    second.answers()
    expect((await answered).status).toBe(200)
    expect(asked.map(({ peerId }) => peerId)).toEqual(expected)
  })

  test('a trusted one that may not be there is asked once as many strangers as may have read the request', async () => {
    const findMore = (): Promise<string[]> => Promise.reject(new Error('nobody is looked for then'))
    const { ask, nth } = await front(['first', 'away'], { away: ['away'], trusted: ['away'], exposure: 1, findMore })
    const answered = ask()
    const first = await nth(1)
    first.head(503, {})
    first.ends()
    const second = await nth(2)
    second.answers()
    expect([(await answered).status, second.peerId]).toEqual([200, 'away'])
  })

  test('a client that goes away is not waited for while others are looked for', async () => {
    const looked = Promise.withResolvers<undefined>()
    const findMore = (): Promise<string[]> => {
      looked.resolve(undefined)
      return new Promise(() => undefined)
    }
    const { ask, nth, ended } = await front(['liar'], { findMore })
    const leaving = new AbortController()
    const answered = ask({ signal: leaving.signal }).catch(() => 'gone')
    const liar = await nth(1)
    liar.head(503, {})
    liar.ends()
    await looked.promise
    leaving.abort()
    expect(await answered).toBe('gone')
    expect(await ended).toBeInstanceOf(ClientGoneError)
  })

  test('where the only one keeps the request waiting, others are looked for beside it', async () => {
    const { ask, nth } = await front(['slow'], { findMore: () => Promise.resolve(['found']) })
    const answered = ask()
    const slow = await nth(1)
    const other = await nth(2)
    other.answers()
    expect((await answered).headers.get('x-computing-node')).toBe('found')
    expect(slow.isAborted).toBe(true)
  })

  test('an empty answer is an answer', async () => {
    const { ask, nth } = await front(['one', 'two'])
    const answered = ask()
    const one = await nth(1)
    one.head(204, {})
    one.ends()
    expect((await answered).status).toBe(204)
  })

  test('when all that were asked fail, the client gets the error once', async () => {
    const { ask, nth } = await front(['one', 'two'])
    const answered = ask()
    const one = await nth(1)
    const two = await nth(2)
    for (const asked of [two, one]) {
      asked.head(503, {})
      asked.ends()
    }
    expect((await answered).status).toBe(503)
  })

  test('a flood of comments before an answer is no answer, and the next provider is asked', async () => {
    const { ask, nth } = await front(['liar', 'honest'])
    const answered = ask()
    const liar = await nth(1)
    liar.head()
    for (let count = 0; count < 3; count += 1) liar.says(`: ${'x'.repeat(40 * 1024)}\n\n`)
    expect(liar.isAborted).toBe(true)
    ;(await nth(2)).answers()
    expect(await (await answered).text()).toBe(EVENT)
  })
})

describe('a stream whose first token is late', () => {
  const SLOW_MS = 60_000

  /** Asks once and answers at the first of them. */
  async function answered({ ask, asked }: Front): Promise<void> {
    const count = asked.length
    const answer = ask()
    ;(await until(() => asked[count], { what: 'the request has come', everyMs: 1 })).answers()
    await (await answer).text()
  }

  /** Both are known to answer at once, and twenty requests have earned a second attempt. */
  async function known(options: Options = {}): Promise<Front> {
    const all = await front(['slow', 'next'], { patienceMs: SLOW_MS, path: '/api/chat', ...options })
    for (let count = 0; count < 20; count += 1) await answered(all)
    const measured = all.scores.begin('next', WORK.at('next'))
    measured.answered(5)
    measured.end()
    return all
  }

  test('a stream that is later than it nearly ever was goes to a second provider, which is heard, and the first is left', async () => {
    const all = await known()
    const answer = all.ask()
    const slow = await all.nth(21)
    const next = await all.nth(22)
    expect([slow.peerId, next.peerId]).toEqual(['slow', 'next'])
    next.answers()
    const response = await answer
    expect(await response.text()).toBe(EVENT)
    expect([response.headers.get('x-computing-node'), response.headers.get('x-ocf-tries')]).toEqual(['next', '2'])
    expect(slow.isAborted).toBe(true)
    expect(all.scores.refusedLately('slow')).toBe(false)
  })

  test('the first provider is heard where it answers before the second, which is left then', async () => {
    const all = await known()
    const answer = all.ask()
    const slow = await all.nth(21)
    const next = await all.nth(22)
    slow.answers()
    expect((await answer).headers.get('x-computing-node')).toBe('slow')
    expect(next.isAborted).toBe(true)
  })

  test.each<[string, Options]>([
    ['the setting is off', { hedge: false }],
    ['as many strangers as may have read it', { exposure: 1 }],
    ['it is no stream', { path: '/x' }],
  ])('a late first token is waited for where %s', async (_why, options) => {
    const all = await known(options)
    const answer = all.ask()
    const slow = await all.nth(21)
    const since = performance.now()
    await until(() => performance.now() - since > 1_200, { what: 'a second one would have been asked' })
    expect(all.asked).toHaveLength(21)
    slow.answers()
    expect((await answer).status).toBe(200)
  })

  test('a stranger that was never measured is not asked for the sake of speed', async () => {
    const all = await front(['slow', 'next'], { patienceMs: SLOW_MS, path: '/api/chat' })
    for (let count = 0; count < 20; count += 1) await answered(all)
    const answer = all.ask()
    const slow = await all.nth(21)
    const since = performance.now()
    await until(() => performance.now() - since > 1_200, { what: 'a second one would have been asked' })
    expect(all.asked).toHaveLength(21)
    slow.answers()
    expect((await answer).status).toBe(200)
  })
})

describe('a client that gives up', () => {
  /** Gives up after so long, which must have passed at the provider, too. */
  async function givenUp({ ask, nth, scores }: Front, afterMs: number): Promise<void> {
    const leaving = new AbortController()
    const answered = ask({ signal: leaving.signal }).catch(() => undefined)
    const one = await nth(1)
    one.head()
    const began = performance.now()
    await until(() => performance.now() - began > afterMs, { what: 'the client has had enough', everyMs: 1 })
    leaving.abort()
    await answered
    await until(() => scores.load('one').inFlight === 0, { what: 'the provider is left' })
  }

  test('a client that gives up before an answer should have begun says how long the provider takes at least', async () => {
    const all = await front(['one', 'two'], { patienceMs: 60_000 })
    await givenUp(all, 400)
    expect(all.scores.refusedLately('one')).toBe(false)
    expect(all.scores.estimate('one', WORK.at('one')).totalMs).toBeGreaterThan(200)
    expect(all.failures).toEqual([])
  })

  test('a client that gives up after an answer should have begun counts against the provider, though its head had come', async () => {
    const all = await front(['one'])
    await givenUp(all, PATIENCE_MS * 2)
    expect(all.scores.refusedLately('one')).toBe(true)
    expect(all.scores.estimate('one', WORK.at('one')).totalMs).toBeGreaterThan(PATIENCE_MS)
  })
})
