import { globSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { ANY_SERVICE_PREFIX, BOOTSTRAPS_PATH, OWN_SERVICE_PREFIX } from '#shared/routes.js'
import { monotonicClock } from '../../../src-main/base/clock.js'
import type { Exchange } from '../../../src-main/gateway/forward/exchange.js'
import { createTargets } from '../../../src-main/gateway/forward/targets.js'
import type { GatewayNeeds, GatewayOptions } from '../../../src-main/gateway/needs.js'
import { allRoutes } from '../../../src-main/gateway/routes/index.js'
import { createMatcher } from '../../../src-main/gateway/routes/route.js'
import { limitQuestions } from '../../../src-main/p2p/http/questions.js'
import { workWithoutPrompt } from '../../fixtures/request-work.js'

const OPTIONS = { corsOrigins: ['*'], docsDir: null, dashboardUrl: () => undefined } as unknown as GatewayOptions
const FOLLOWED = { subscribe: () => () => undefined }
/** Describing touches nothing of a node but its clock and its id; some routes follow others. */
const NEEDS = {
  ...{ monotonic: monotonicClock, host: { peerId: 'me' } },
  ...{ registry: FOLLOWED, trust: FOLLOWED },
} as unknown as GatewayNeeds

const routes = allRoutes(NEEDS, OPTIONS)

/** The path this node asks a peer for when it uses a model of it. */
function pathAtPeer(): string {
  const clients = { to: () => ({}) } as never
  const registry = { get: () => undefined, apiKey: () => undefined }
  const targets = createTargets({ peerClients: clients, localClients: clients, registry })
  const exchange = { request: { headers: {} }, reply: { isHandshake: false }, body: { kind: 'none' }, hops: 'me' }
  const request = {
    service: 'llm',
    path: '/v1/chat/completions',
    what: 'model "a"',
    work: workWithoutPrompt(''),
    considered: [],
  }
  const plan = targets.ofProvider(exchange as unknown as Exchange, request, { kind: 'peer', peerId: 'them' })
  return plan?.target.path ?? ''
}

test('what a node asks of a peer’s service is a route of the peer, and its owner’s to limit', () => {
  const path = pathAtPeer()
  expect(createMatcher(routes, 'peer')('POST', path)).toMatchObject({ kind: 'found', params: { service: 'llm' } })

  let handled = 0
  const never = { capacity: 0, refillPerS: 0 }
  const limited = limitQuestions(() => (handled += 1), never, { elapsedMs: () => 0 })
  const request = { url: path, socket: { remoteAddress: 'a' } } as unknown as IncomingMessage
  limited(request, {} as unknown as ServerResponse)
  expect(handled).toBe(1)
})

test('nothing else is forwarded for peers', () => {
  const forwarded = routes.filter((route) => route.listeners.includes('peer') && route.forward !== undefined)
  expect(forwarded.map(({ path }) => path)).toEqual([`${OWN_SERVICE_PREFIX}:service/*`])
})

test('these paths are part of what nodes speak, and stand in one place only', () => {
  expect([OWN_SERVICE_PREFIX, ANY_SERVICE_PREFIX]).toEqual(['/v1/_service/', '/v1/service/'])
  const isComment = /^\s*(?:\/?\*|\/\/)/
  const literals = globSync('src-{main,shared,renderer}/**/*.{ts,tsx,mjs}')
    .filter((file) => file.replaceAll('\\', '/') !== 'src-shared/routes.ts')
    .flatMap((file) => {
      const lines = readFileSync(file, 'utf8').split('\n')
      const found = lines.filter((line) => !isComment.test(line) && /\/v1\/_?service\//.test(line))
      return found.map((line) => `${file}: ${line.trim()}`)
    })
  expect(literals).toEqual([])
  expect(routes.map(({ path }) => path)).toContain(BOOTSTRAPS_PATH)
})
