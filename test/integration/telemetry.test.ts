import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { createControlClient } from '../../src-main/api/client.js'
import { createDemoModelServer } from '../../src-main/demo-model/index.js'
import { fetchFigures } from '../fixtures/metrics.js'
import { chat, llmFlags, startNodePair, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { createRecordingLog } from '../fixtures/recording-log.js'
import { until } from '../fixtures/until.js'

const cleanups: (() => Promise<unknown>)[] = []
const later = <T extends { stop(): Promise<unknown> }>(thing: T): T => {
  cleanups.push(() => thing.stop())
  return thing
}
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const controlOf = (node: NodeProcess) => createControlClient({ controlFile: join(node.dataDir, 'control.json') })

/** What the steps of a history have together: a run may lie over the border of two. */
function sumOf(steps: readonly object[]): Record<string, number> {
  const sum: Record<string, number> = {}
  for (const step of steps) {
    for (const [name, value] of Object.entries(step))
      if (typeof value === 'number') sum[name] = (sum[name] ?? 0) + value
  }
  return sum
}

describe('after a scripted run of requests over two nodes', () => {
  test('feed, history and figures of both agree with what the client saw', async () => {
    const demo = later(createDemoModelServer({ log: createRecordingLog() }, { tokensPerSecond: 50 }))
    await demo.start(new AbortController().signal)
    const { a, b } = later(await startNodePair({ serviceFlags: llmFlags(demo.port) }))
    await untilListed(a.gateway, 'ocf-demo')

    let bytes = 0
    const read = async (response: Response): Promise<void> => {
      bytes += (await response.arrayBuffer()).byteLength
    }
    for (let i = 0; i < 3; i++) await read(await chat(a.gateway, { model: 'ocf-demo', stream: true, max_tokens: 8 }))
    for (let i = 0; i < 2; i++) await read(await chat(a.gateway, { model: 'ocf-demo', max_tokens: 5 }))
    for (let i = 0; i < 2; i++) await (await chat(a.gateway, { model: 'nobody-has-this' })).arrayBuffer()
    const leaving = new AbortController()
    const body = (
      await chat(a.gateway, { model: 'ocf-demo', stream: true, max_tokens: 4_000 }, { signal: leaving.signal })
    ).body!.getReader()
    await body.read()
    leaving.abort()

    const total = { a: 'ocf_requests_total', b: 'ocf_requests_total' }
    await until(async () => (await fetchFigures(a.gateway)).sum(total.a) === 8, { what: 'A counts eight requests' })
    await until(async () => (await fetchFigures(b.gateway)).sum(total.b) === 6, { what: 'B counts six' })
    const [atA, atB] = [await fetchFigures(a.gateway), await fetchFigures(b.gateway)]
    expect(atA.sum('ocf_requests_total', { direction: 'out', service: 'llm', code: '2xx', outcome: 'ok' })).toBe(5)
    expect(atA.sum('ocf_requests_total', { direction: 'out', outcome: 'cancelled' })).toBe(1)
    expect(atA.sum('ocf_request_errors_total', { code: 'model_not_found' })).toBe(2)
    expect(atB.sum('ocf_requests_total', { direction: 'in', outcome: 'ok' })).toBe(5)
    expect(atB.sum('ocf_requests_total', { direction: 'in', outcome: 'cancelled' })).toBe(1)
    expect(atA.sum('ocf_tries_total', { provider: 'peer', outcome: 'answered' })).toBe(5)
    expect(atB.sum('ocf_tries_total', { provider: 'self', outcome: 'answered' })).toBe(5)
    expect(atA.sum('ocf_ttfb_seconds_count', { direction: 'out' })).toBe(6)
    expect(atA.sum('ocf_requests_in_flight')).toBe(0)
    expect(atA.sum('ocf_peers')).toBe(1)
    expect(atA.sum('ocf_table_rows')).toBe(2)
    expect(atA.sum('ocf_http_pools')).toBe(1)
    expect(atB.sum('ocf_services', { status: 'connected' })).toBe(1)
    expect(atB.sum('ocf_libp2p_connection_manager_connections')).toBeGreaterThanOrEqual(1)

    const entries = await controlOf(a).call('traffic.recent', {})
    const answered = entries.filter(({ cancelledBy, status }) => cancelledBy === null && status === 200)
    expect(answered.reduce((sum, entry) => sum + entry.bytesOut, 0)).toBe(bytes)
    for (const entry of answered) {
      expect(entry).toMatchObject({ direction: 'out', peer: b.peerId, candidates: 1, tries: 1 })
      expect(entry.path).toMatch(/^direct-/)
      expect(entry.legs).toEqual([expect.objectContaining({ peer: b.peerId, outcome: 'answered', reason: null })])
    }
    expect(answered.map(({ tokens }) => tokens)).toEqual([8, 8, 8, 5, 5])
    expect(entries.at(-1)).toMatchObject({ cancelledBy: 'client', legs: [{ outcome: 'client-gone' }] })
    const given = await controlOf(b).call('traffic.recent', {})
    expect(given.every((entry) => entry.direction === 'in' && entry.peer === a.peerId && entry.path !== null)).toBe(
      true,
    )
    const tokens = given.reduce((sum, entry) => sum + (entry.tokens ?? 0), 0)
    expect(atB.sum('ocf_tokens_total', { direction: 'in', kind: 'completion' })).toBe(tokens)

    const history = await controlOf(a).call('traffic.history', { range: '24h' })
    expect(sumOf(history.points.map(({ out }) => out))).toMatchObject({ ok: 5, cancelled: 1 })
    expect(history.errors).toEqual([{ code: 'model_not_found', count: 2 }])
    expect(history.ttfbMs?.p50).toBeGreaterThan(0)
    expect((await controlOf(a).call('node.status', {})).requestsToday).toEqual({
      in: 0,
      out: 6,
      local: 0,
      unanswered: 2,
    })
  })
})

describe('one node', () => {
  test('shows its API and its figures to this machine, and figures to no web page', async () => {
    const node = later(await startNodeProcess({ flags: ['--demo-model', 'on'] }))
    const page = await fetch(`${node.gateway}/docs`)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const html = await page.text()
    for (const [, path = ''] of html.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g)) {
      const asset = await fetch(`${node.gateway}${path}`)
      expect(asset.status, path).toBe(200)
      expect(asset.headers.get('cache-control')).toContain('immutable')
      expect(asset.headers.get('content-type')).toMatch(path.includes('.css') ? /^text\/css/ : /^text\/javascript/)
      await asset.arrayBuffer()
    }
    expect((await fetch(`${node.gateway}/docs/..%2fmain%2fheadless.js`)).status).toBe(404)
    const headers = { Origin: 'http://localhost:3000' }
    const toPage = await fetch(`${node.gateway}/metrics`, { headers })
    expect([toPage.status, toPage.headers.get('access-control-allow-origin')]).toEqual([403, null])
    const metrics = await fetch(`${node.gateway}/metrics`)
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  })

  test('changes what can change while it runs, and keeps its log and its history in files', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ocf-live-'))
    cleanups.push(() => rm(dataDir, { recursive: true, force: true }))
    const config = join(dataDir, '..', `${dataDir.split('/').at(-1)}.yaml`)
    await writeFile(config, '# mine\n')
    cleanups.push(() => rm(config, { force: true }))
    const node = later(await startNodeProcess({ dataDir, flags: ['--demo-model', 'on', '--config', config] }))
    const control = controlOf(node)
    const allowed = async (): Promise<string | null> => {
      const response = await fetch(`${node.gateway}/v1/models`, { headers: { Origin: 'http://a.example' } })
      return response.headers.get('access-control-allow-origin')
    }

    expect(await allowed()).toBe('*')
    expect(await control.call('settings.set', { name: 'cors-origins', value: 'http://b.example' })).toEqual({
      restartNeeded: false,
    })
    expect(await allowed()).not.toBe('*')
    await control.call('settings.set', { name: 'cors-origins', value: null })
    expect(await allowed()).toBe('*')

    expect((await chat(node.gateway, { model: 'ocf-demo', max_tokens: 1 })).status).toBe(200)
    await control.call('settings.set', { name: 'gateway.max-body', value: '1KiB' })
    const large = { model: 'ocf-demo', max_tokens: 1, user: 'x'.repeat(2_000) }
    expect((await chat(node.gateway, large)).status).toBe(413)

    expect(node.stderr()).not.toMatch(/ debug /)
    await control.call('settings.set', { name: 'log-level', value: 'debug' })
    await chat(node.gateway, { model: 'ocf-demo', max_tokens: 1 })
    await until(() => / debug .*a request was answered/.test(node.stderr()), { what: 'a debug line is written' })
    expect(await control.call('settings.set', { name: 'port', value: '9000' })).toEqual({ restartNeeded: true })

    await node.stop()
    const log = await readFile(join(dataDir, 'logs', 'ocf.log'), 'utf8')
    expect(log).toContain('"msg":"a request was answered"')
    expect(log).not.toContain('Hello')
    const history = await readFile(join(dataDir, 'traffic-history.json'), 'utf8')
    const { hours } = JSON.parse(history) as { hours: { local: Record<string, number> }[] }
    expect(sumOf(hours.map(({ local }) => local))).toMatchObject({ ok: 2, failed: 1 })
  })
})
