import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { AppError } from '#shared/errors.js'
import type { Provider } from '../../../../src-main/gateway/routing/choose-providers.js'
import type { Exchange } from '../../../../src-main/gateway/forward/exchange.js'
import { createForwarder } from '../../../../src-main/gateway/forward/forwarder.js'
import { Reply } from '../../../../src-main/gateway/forward/reply.js'
import { hasBody, readAll } from '../../../../src-main/gateway/body/request-body.js'
import { ConnectionLostError, type HttpClient } from '../../../../src-main/http-client/index.js'
import { DeadPeerError } from '../../../../src-main/p2p/hardening/liveness/dead-peer.js'
import { startTestServer } from '../../../fixtures/http-server.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

type Act = 'answer' | 'silent' | 'silent-relay'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

/** A peer's client; its stream had served before. */
function peerThat(act: Act): Pick<HttpClient, 'send'> {
  return {
    send(_request, handler) {
      handler.onStart({ abort: () => undefined, pause: () => undefined, resume: () => undefined })
      if (act === 'answer') {
        handler.onHead(200, { 'content-type': 'text/plain' })
        handler.onData(Buffer.from('here'))
        handler.onEnd()
      } else handler.onError(new ConnectionLostError(true, new DeadPeerError(act === 'silent-relay')))
    },
  }
}

/** What each of the peers does with the requests it gets, one after the other; tells who was asked. */
async function front(acts: Record<string, Act[]>, service = 'llm') {
  const asked: string[] = []
  const needs = {
    host: { peerId: 'self' },
    peerClients: {
      to(peerId: string) {
        asked.push(peerId)
        return peerThat(acts[peerId]?.shift() ?? 'silent')
      },
    },
    registry: {},
    reachability: {
      reportSuccess: () => undefined,
      reportFailure: () => undefined,
      whyBrokenOff: () => Promise.resolve(undefined),
    },
    scores: { begin: () => ({ answered() {}, refused() {}, end() {} }) },
    paths: { pathTo: () => null },
    log: createRecordingLog(),
  }
  const forwarder = createForwarder(needs as unknown as Parameters<typeof createForwarder>[0], { idleTimeoutMs: 0 })
  const traffic = { update() {}, firstByte() {}, addBytes() {}, tried() {}, finish() {} }
  const providers = Object.keys(acts).map((peerId): Provider => ({ kind: 'peer', peerId }))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = new Reply(response, { door: 'local', requestId: 'r1' })
    const exchange = {
      ...{ door: 'local', requestId: 'r1', hops: 'self', traffic, request, reply, startedAt: performance.now() },
      body: hasBody(request) ? { kind: 'read', bytes: await readAll(request, 1024) } : { kind: 'none' },
    } as Exchange
    try {
      await forwarder.toProviders(exchange, { service, path: '/x', what: 'the model' }, providers)
    } catch (error) {
      response.writeHead(error instanceof AppError ? error.status : 500).end()
    }
  }
  const server = await startTestServer((request, response) => void answer(request, response))
  cleanups.push(() => server.close())
  const post = async (): Promise<number> => {
    const response = await fetch(server.origin, { method: 'POST', body: '{}' })
    await response.text()
    return response.status
  }
  return { asked, post }
}

test('a provider that fell silent is not asked again: the next one is', async () => {
  const { asked, post } = await front({ one: ['silent', 'answer'], two: ['answer'] })
  expect(await post()).toBe(200)
  expect(asked).toEqual(['one', 'two'])
})

test('one whose relay fell silent is asked once more, over another, after all others', async () => {
  const { asked, post } = await front({ one: ['silent-relay', 'answer'], two: ['silent'] })
  expect(await post()).toBe(200)
  expect(asked).toEqual(['one', 'two', 'one'])
})

test('and not a third time', async () => {
  const { asked, post } = await front({ one: ['silent-relay', 'silent-relay', 'answer'] })
  expect(await post()).toBe(502)
  expect(asked).toEqual(['one', 'one'])
})

test('nor where the request may have been done already', async () => {
  const { asked, post } = await front({ one: ['silent-relay', 'answer'] }, 'tool')
  expect(await post()).toBe(502)
  expect(asked).toEqual(['one'])
})
