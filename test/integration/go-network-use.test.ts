import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createControlClient } from '../../src-main/api/client.js'
import { GoPeer } from '../fixtures/go-network/go-peer.js'
import { chat, modelIds } from '../fixtures/node-pair.js'
import { type NodeProcess, startNodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

// A head and two workers of the Go program's kind, and one node that uses them.

let head: GoPeer
let worker: GoPeer
let old: GoPeer
let node: NodeProcess
const started: NodeProcess[] = []

async function start(mode: string, to: GoPeer, ...flags: string[]): Promise<NodeProcess> {
  const words = ['--go-network', mode, '--bootstrap.addr', to.address, '--demo-model', 'off', ...flags]
  const begun = await startNodeProcess({ flags: words })
  started.push(begun)
  return begun
}

const control = ({ dataDir }: NodeProcess) => createControlClient({ controlFile: join(dataDir, 'control.json') })

beforeAll(async () => {
  head = await GoPeer.start({ role: 'head' })
  worker = await GoPeer.start({ models: ['go-model'] })
  old = await GoPeer.start({ models: ['old-model'], keyType: 'Ed25519' })
  for (const peer of [worker, old]) await peer.dial(head.address)
  await until(() => head.providersOf('go-model').length > 0 && head.providersOf('old-model').length > 0, {
    what: 'the head lists its workers',
  })
  node = await start('use', head)
  await until(async () => (await modelIds(node.gateway)).includes('go-model'), { what: 'their models are listed' })
})

afterAll(async () => {
  await Promise.all(started.map((one) => one.stop()))
  await Promise.all([head, worker, old].map((peer) => peer.stop()))
})

describe('a node with go-network use', () => {
  test('lists the models of workers that it was told of by a head, and asked themselves', async () => {
    await until(async () => (await modelIds(node.gateway)).includes('old-model'), { what: 'the other is listed, too' })
    expect(worker.seen.requests).toContain('GET /v1/dnt/table')
    const { data } = (await (await fetch(`${node.gateway}/v1/models`)).json()) as { data: object[] }
    expect(data).toContainEqual(
      expect.objectContaining({
        id: 'go-model',
        ocf: expect.objectContaining({ providers: 1, unsigned: 1, servers: [worker.id] }) as object,
      }),
    )
    const [view] = (await control(node).call('models.list', {})).filter(({ id }) => id === 'go-model')
    expect(view?.providers).toMatchObject([{ peerId: worker.id, unsigned: true, trusted: false }])
    const peers = await control(node).call('peers.list', {})
    expect(peers.filter(({ unsigned }) => unsigned === true).map(({ peerId }) => peerId)).toContain(worker.id)
    expect((await control(node).call('node.status', {})).goNetwork).toMatchObject({ mode: 'use', providers: 2 })
  })

  test('uses them, whole and streamed', async () => {
    const whole = await chat(node.gateway, { model: 'go-model' })
    expect(whole.status).toBe(200)
    expect(whole.headers.get('x-computing-node')).toBe(worker.id)
    expect(JSON.stringify(await whole.json())).toContain('go says hello as go-model')
    const streamed = await chat(node.gateway, { model: 'go-model', stream: true })
    const text = await streamed.text()
    expect(streamed.headers.get('x-computing-node')).toBe(worker.id)
    expect(text).toContain('hello')
    expect(text).toContain('data: [DONE]')
  })

  test('believes nobody what another is said to offer', async () => {
    head.hearsay = {
      [`/${worker.id}`]: worker.ownRow({ service: [{ name: 'llm', identity_group: ['model=made-up'] }] }),
      [`/${head.id}x`]: { ...worker.ownRow(), id: `${head.id}x` },
      '/a': 7,
      '/b': { id: 'c', connected: true },
    }
    const asked = (): number => worker.seen.requests.filter((line) => line.includes('/dnt/table')).length
    const before = asked()
    await until(() => asked() > before, { what: 'it asks the worker itself', limitMs: 60_000 })
    expect(await modelIds(node.gateway)).toEqual(expect.arrayContaining(['go-model', 'old-model']))
    expect(await modelIds(node.gateway)).not.toContain('made-up')
    head.hearsay = {}
  })

  test('keeps them out of the table it shows and tells', async () => {
    const table = await (await fetch(`${node.gateway}/v1/dnt/table?all=1`)).text()
    expect(table).not.toContain(worker.id)
    expect(JSON.stringify(await control(node).call('table.rows', { all: true }))).not.toContain(worker.id)
  })

  test('publishes nothing, and answers nobody who wants blocks', async () => {
    const { protocols } = await head.libp2p.peerStore.get(
      head.libp2p.getPeers().find((id) => id.toString() === node.peerId)!,
    )
    expect(protocols.filter((name) => name.includes('bitswap'))).toEqual([])
    expect(head.seen.pings).not.toContain(node.peerId)
    expect(head.rows.has(`/${node.peerId}`)).toBe(false)
    expect(head.libp2p.services.pubsub.getSubscribers('ocf-crdt').map(String)).not.toContain(node.peerId)
  })

  test('takes its providers for strangers', async () => {
    await control(node).call('settings.set', { name: 'use.reach', value: 'trusted' })
    const refused = await chat(node.gateway, { model: 'go-model' })
    expect(refused.status).toBe(403)
    await control(node).call('settings.set', { name: 'use.reach', value: null })
    expect((await chat(node.gateway, { model: 'go-model' })).status).toBe(200)
  })

  test('notices when one is gone', async () => {
    await old.stop()
    await until(async () => !(await modelIds(node.gateway)).includes('old-model'), {
      what: 'its model is gone',
      limitMs: 60_000,
    })
    expect((await chat(node.gateway, { model: 'go-model' })).status).toBe(200)
  })
})

describe('a node with go-network off', () => {
  test('has no stream, topic or handler of it, and asks nothing', async () => {
    const off = await start('off', head)
    const peer = await until(() => head.libp2p.getPeers().find((id) => id.toString() === off.peerId), {
      what: 'it is connected',
    })
    const protocols = await until(
      async () => {
        const { protocols: told } = await head.libp2p.peerStore.get(peer)
        return told.length > 0 && told
      },
      { what: 'it said what it speaks' },
    )
    expect(protocols.filter((name) => name.includes('bitswap'))).toEqual([])
    const user = await start('use', head)
    await until(() => head.seen.askers.has(user.peerId), { what: 'one that came later has asked' })
    expect(head.seen.askers).not.toContain(off.peerId)
    expect(head.libp2p.services.pubsub.getSubscribers('ocf-crdt-net').map(String)).not.toContain(off.peerId)
    expect(await modelIds(off.gateway)).toEqual([])
  })
})
