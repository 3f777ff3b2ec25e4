import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createControlClient } from '../../src-main/api/client.js'
import { GoPeer } from '../fixtures/go-network/go-peer.js'
import { readBody, sseChunk, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { llmFlags } from '../fixtures/node-pair.js'
import { type NodeProcess, startNodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

// A head and a worker of the Go program's kind, the worker with the older bitswap, and a node that offers them its models.

const MODEL = 'our-model'

async function answerChat(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { stream } = JSON.parse(String(await readBody(request))) as { stream?: boolean }
  if (stream === true) {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(`${sseChunk('hello ')}${sseChunk('there')}data: [DONE]\n\n`)
    return
  }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content: 'hello there' } }] }))
}

let head: GoPeer
let worker: GoPeer
let server: ModelServerFixture
let node: NodeProcess
const started: NodeProcess[] = []
const folders: string[] = []

async function start(options: { dataDir?: string } = {}): Promise<NodeProcess> {
  const flags = ['--go-network', 'share', '--bootstrap.addr', head.address, '--demo-model', 'off']
  const begun = await startNodeProcess({ flags: [...flags, ...llmFlags(server.port)], ...options })
  started.push(begun)
  return begun
}

const control = ({ dataDir }: NodeProcess) => createControlClient({ controlFile: join(dataDir, 'control.json') })
const listed = (peer: GoPeer, by = node.peerId): Promise<unknown> =>
  until(() => peer.providersOf(MODEL).includes(by), { what: 'it is listed', limitMs: 30_000 })
const unlisted = (peer: GoPeer): Promise<unknown> =>
  until(() => !peer.providersOf(MODEL).includes(node.peerId), { what: 'it is listed no longer' })
const rowAt = (peer: GoPeer) => peer.rows.get(`/${node.peerId}`)

beforeAll(async () => {
  server = await startModelServer({ models: [MODEL, 'echo'], answer: answerChat })
  head = await GoPeer.start({ role: 'head' })
  worker = await GoPeer.start({ models: ['go-model'], bitswap: '1.1.0' })
  await worker.dial(head.address)
  await until(() => head.providersOf('go-model').length > 0, { what: 'the head lists its worker' })
  node = await start()
})

afterAll(async () => {
  await Promise.all(started.map((one) => one.stop()))
  await Promise.all([head, worker].map((peer) => peer.stop()))
  await server.close()
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

describe('a node with go-network share', () => {
  test('is listed at heads and workers, above everything that was written before', async () => {
    const before = head.rows.get(`/${worker.id}`)?.priority ?? 0
    await listed(head)
    await listed(worker)
    expect(rowAt(head)?.priority).toBeGreaterThan(before)
    expect(rowAt(head)?.row).toMatchObject({ id: node.peerId, role: ['worker'], public_address: '', status: '' })
    expect(head.heads.size).toBe(1)
    expect(head.seen.pings).toContain(node.peerId)
  })

  test('answers requests of a head, whole and streamed', async () => {
    const whole = await head.serve(MODEL)
    expect(whole).toMatchObject({ status: 200, by: node.peerId })
    const streamed = await head.serve(MODEL, { stream: true })
    expect(streamed.body).toContain('data: [DONE]')
    // One that is no neighbour of it reaches it as well.
    expect((await worker.serve(MODEL).catch(() => head.serve(MODEL))).status).toBe(200)
  })

  test('offers every model that everyone may use', () => {
    const offered = rowAt(head)?.row.service?.flatMap(({ identity_group: entries }) => entries ?? [])
    expect(offered?.toSorted()).toEqual(['model=echo', `model=${MODEL}`])
  })

  test('writes again when it was evicted', async () => {
    const evicted = rowAt(head)?.priority ?? 0
    head.put({
      ...head.ownRow(),
      id: node.peerId,
      status: 'left',
      connected: false,
      service: null,
      evicted_by: head.id,
    })
    await unlisted(head)
    await listed(head)
    expect(rowAt(head)?.priority).toBeGreaterThan(evicted + 1)
    expect((await head.serve(MODEL)).status).toBe(200)
  })

  test('is listed again by one that lost its store', async () => {
    head.loseStore()
    worker.loseStore()
    head.put(head.ownRow())
    worker.put(worker.ownRow())
    expect(head.providersOf(MODEL)).toEqual([])
    await until(() => head.providersOf(MODEL).includes(node.peerId), { what: 'it is listed again', limitMs: 60_000 })
  })

  test('leaves while sharing is paused, and comes back', async () => {
    await control(node).call('pause.set', { forMs: null })
    await until(() => rowAt(head)?.row.status === 'left', { what: 'it has left' })
    // Cut off, not answered: a head asks the next provider then.
    const body = JSON.stringify({ model: MODEL, messages: [] })
    const asked = head.ask(node.peerId, '/v1/_service/llm/v1/chat/completions', { method: 'POST', body })
    await expect(asked).rejects.toThrow()
    await control(node).call('pause.resume', {})
    await listed(head)
  })

  test('says good-bye when it stops', async () => {
    const { peerId } = node
    await node.stop()
    await until(() => head.rows.get(`/${peerId}`)?.row.status === 'left', { what: 'its record says so' })
  })

  test('is listed after a restart without anything of its own store, also after a crash', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
    folders.push(dataDir)
    node = await start({ dataDir })
    await listed(head)
    const { peerId } = node
    await node.kill()
    await unlisted(head)
    node = await start({ dataDir })
    expect(node.peerId).toBe(peerId)
    await listed(head)
    expect((await head.serve(MODEL)).status).toBe(200)
  })
})

describe('nodes that take signed builds alone', () => {
  test('do not list it, and it says so', async () => {
    const strict = await GoPeer.start({ role: 'head', requireSignedBinary: true })
    await strict.dial(head.address)
    await strict.dial(node.multiaddrs.find((address) => address.includes('/tcp/') && !address.endsWith('/ws')) ?? '')
    const shared = await until(
      async () => {
        const { goNetwork } = await control(node).call('node.status', {})
        return (goNetwork?.shared?.notListedBy ?? 0) > 0 && goNetwork?.shared
      },
      { what: 'it tells that one does not list it', limitMs: 30_000 },
    )
    expect(shared.models).toBeGreaterThan(0)
    expect(strict.providersOf(MODEL)).toEqual([])
    await strict.stop()
  })
})
