import { afterEach, expect, test } from 'vitest'
import { monotonicClock } from '../../src-main/base/clock.js'
import type { LocalService } from '../../src-main/services/index.js'
import { createAxiomExporter, type AxiomNeeds, type AxiomOptions } from '../../src-main/telemetry/axiom/index.js'
import { createTrafficFeed } from '../../src-main/telemetry/traffic.js'
import { startAxiomStandIn, type AxiomStandIn } from '../fixtures/axiom-stand-in.js'
import { createRecordingLog } from '../fixtures/recording-log.js'
import { until } from '../fixtures/until.js'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const TOKEN = 'xaat-very-secret'
const LEG = {
  peer: null,
  outcome: 'answered' as const,
  reason: null,
  startMs: 0,
  durationMs: 1,
  connectMs: 0,
  ttfbMs: 1,
}
const SERVICE = {
  ...{ id: 'llm@127.0.0.1:1', name: 'llm', host: '127.0.0.1', port: 1, status: 'starting', identityGroups: [] },
  ...{
    published: true,
    visibility: 'everyone' as const,
    visibilities: new Map(),
    sharedPaths: [],
    serverModelIds: new Map(),
    models: [],
    problem: undefined,
  },
} as LocalService

async function open(options: Partial<AxiomOptions> = {}) {
  const server = await startAxiomStandIn()
  const log = createRecordingLog()
  const traffic = createTrafficFeed({ clock: Date, monotonic: monotonicClock })
  const network = new EventTarget()
  const services: LocalService[] = []
  let servicesChanged = (): void => undefined
  const needs: AxiomNeeds = {
    traffic,
    host: { peerId: 'me', libp2p: network as never, connections: () => [] },
    paths: { pathTo: () => 'direct-quic' },
    registry: {
      list: () => services,
      subscribe(listener) {
        servicesChanged = listener
        return () => undefined
      },
    },
    clock: Date,
    log,
  }
  const exporter = createAxiomExporter(needs, {
    ...{ token: TOKEN, dataset: 'ocf', url: server.url, version: '1.2.3', waitMs: 20, retryAfterMs: [10, 20, 40] },
    ...options,
  })
  await exporter.start(new AbortController().signal)
  cleanups.push(
    () => server.stop(),
    () => exporter.stop(),
  )
  let id = 0
  const request = (direction: 'in' | 'out' | 'local' = 'local'): void => {
    const handle = traffic.begin({
      id: `r${id++}`,
      direction,
      service: 'llm',
      method: 'POST',
      route: '/v1/x',
      model: 'm',
    })
    handle.update({ candidates: 2, tries: 1, peer: direction === 'local' ? null : 'alice' })
    handle.attempted(LEG)
    handle.finish({ status: 200, tokens: 5, tokensFrom: 'usage' })
  }
  return { server, log, network, services, servicesChanged: () => servicesChanged(), exporter, request }
}

const named = (server: AxiomStandIn, name: string) => server.events().filter(({ event }) => event === name)
const until200 = (server: AxiomStandIn, count: number) =>
  until(() => server.events().length >= count, { what: `${count} events arrived` })

test('what happens arrives as structured events', async () => {
  const { server, network, services, servicesChanged, request } = await open()
  request('local')
  request('out')
  const peer = { detail: { toString: () => 'alice' } }
  network.dispatchEvent(Object.assign(new Event('peer:connect'), peer))
  network.dispatchEvent(Object.assign(new Event('peer:disconnect'), peer))
  services.push(SERVICE)
  servicesChanged()
  servicesChanged()
  services[0] = { ...SERVICE, status: 'connected' }
  servicesChanged()
  services.pop()
  servicesChanged()
  await until200(server, 9)
  expect(server.events()).toHaveLength(9)
  for (const event of server.events())
    expect(event).toMatchObject({ node: 'me', version: '1.2.3', _time: expect.any(String) })
  expect(named(server, 'DNT Lookup')).toMatchObject([{ model: 'm', candidates: 2 }, { candidates: 2 }])
  expect(named(server, 'Service Forward')).toMatchObject([
    { request_id: 'r0', direction: 'local', tokens_out: 5, outcome: 'ok' },
  ])
  expect(named(server, 'P2P Forward')).toMatchObject([{ request_id: 'r1', peer: 'alice', status: 200 }])
  expect(named(server, 'Peer Connected')).toMatchObject([{ peer: 'alice', path: 'direct-quic' }])
  expect(named(server, 'Peer Disconnected')).toHaveLength(1)
  expect(named(server, 'Service Changed')).toMatchObject([
    { service: 'llm', status: 'starting', status_before: null },
    { status: 'connected', status_before: 'starting' },
    { status: 'removed', status_before: 'connected' },
  ])
  expect(JSON.stringify(server.events())).not.toContain('127.0.0.1')
  expect(server.requests[0]).toMatchObject({ path: '/v1/datasets/ocf/ingest', authorization: `Bearer ${TOKEN}` })
})

test('many events go in batches of at most five hundred', async () => {
  const { server, request } = await open()
  for (let i = 0; i < 800; i++) request()
  await until200(server, 1_600)
  expect(server.requests.length).toBeLessThan(10)
  expect(Math.max(...server.requests.map(({ events }) => events.length))).toBe(500)
})

test.each([429, 500, 503])('an answer of %i is asked again, and nothing is lost or doubled', async (status) => {
  const { server, request, log } = await open()
  server.answerNext(status, status)
  request()
  await until200(server, 2)
  expect(server.requests).toHaveLength(3)
  expect(server.events()).toHaveLength(2)
  expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([])
})

test('an answer of 401 is told and not asked again; the token is in no line of the log', async () => {
  const { server, request, log } = await open()
  server.answerNext(401)
  request()
  const told = await log.line('events for Axiom were lost')
  expect(told.fields).toMatchObject({ reason: 'Axiom answered 401', lost: 2 })
  request()
  await until200(server, 2)
  expect(server.requests).toHaveLength(2)
  expect(JSON.stringify(log.lines)).not.toContain(TOKEN)
})

test('a server that never answers costs neither requests nor a slow stop, and the queue stays bounded', async () => {
  const { server, request, exporter, log } = await open({ maxQueued: 50 })
  server.answerNext(...Array.from({ length: 50 }, () => 'hang' as const))
  request()
  await until(() => server.requests.length === 1, { what: 'the first batch is on its way' })
  const startedAt = performance.now()
  for (let i = 0; i < 10_000; i++) request()
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  const stoppingAt = performance.now()
  await exporter.stop()
  expect(performance.now() - stoppingAt).toBeLessThan(5_000)
  expect(log.lines.filter(({ level }) => level === 'warn').length).toBeLessThan(10)
})

test('nobody listening there is survived', async () => {
  const gone = await startAxiomStandIn()
  await gone.stop()
  const { request, exporter, log } = await open({ url: gone.url })
  request()
  expect((await log.line('events for Axiom were lost')).fields['reason']).toContain('ECONNREFUSED')
  await exporter.stop()
})

test('a stop sends what still waits', async () => {
  const { server, request, exporter } = await open({ waitMs: 60_000 })
  request()
  await exporter.stop()
  expect(server.events()).toHaveLength(2)
  request()
  expect(server.events()).toHaveLength(2)
})
