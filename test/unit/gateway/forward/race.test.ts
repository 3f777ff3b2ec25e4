import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AppError } from '#shared/errors.js'
import { BodyMemory } from '../../../../src-main/gateway/body/body-memory.js'
import { readBody } from '../../../../src-main/gateway/body/read-body.js'
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
  ask: (init?: RequestInit) => Promise<Response>
}

let server: TestServer | undefined
beforeEach(() => void (server = undefined))
afterEach(() => server?.close())

/** A gateway before these providers, asked in that order. */
async function front(
  peerIds: string[],
  options: { service?: string; exposure?: number; patienceMs?: number } = {},
): Promise<Front> {
  const { service = 'llm', exposure = 2, patienceMs = PATIENCE_MS } = options
  const asked: Asked[] = []
  const failures: string[] = []
  const scores = createProviderScores({ monotonic: { elapsedMs: () => performance.now() } })
  const limits = { ...PATIENCE, floorMs: patienceMs, unknownStreamedMs: patienceMs, unknownWholeMs: patienceMs }
  const needs = {
    host: { peerId: 'self', isConnected: () => true, connectionsTo: () => [] },
    reach: { isTrusted: () => false },
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
    log: createRecordingLog(),
  } as unknown as ForwarderNeeds
  const forwarder = createForwarder(needs, { 'gateway.idle-timeout': 300_000, 'use.exposure': exposure })
  const traffic = { update() {}, firstByte() {}, addBytes() {}, attempted() {}, finish() {} }
  const bodies = new BodyMemory(() => 1024 * 1024)
  const providers = peerIds.map((peerId): Provider => ({ kind: 'peer', peerId }))

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
        { service, path: '/x', what: 'the model', work: WORK, considered: [] },
        providers,
      )
    } catch (error) {
      response.writeHead(error instanceof AppError ? error.status : 500).end()
    }
  }
  const started = await startTestServer((request, response) => void answer(request, response))
  server = started
  return {
    ...{ asked, scores, failures },
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
    const { ask, asked } = await front(['slow', 'next'])
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
