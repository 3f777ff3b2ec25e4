import { randomBytes } from 'node:crypto'
import { base58btc } from 'multiformats/bases/base58'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeMessage, type Want } from '../../src-main/go-network/codecs/bitswap-message.js'
import { encodeBlock } from '../../src-main/go-network/codecs/block.js'
import { type Cid, cidOf } from '../../src-main/go-network/codecs/cid.js'
import { GoPeer } from '../fixtures/go-network/go-peer.js'
import { startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { chat, llmFlags, modelIds, untilListed } from '../fixtures/node-pair.js'
import { type NodeProcess, startNodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'

// A node that offers its model in the Go network, and everything at once that a peer there can throw at it.

const BLOCKS = 100_000
const ROWS = 10_000
const WANTS_PER_S = 1_000
const ATTACK_MS = 8_000
/** What all of it may cost, MiB. */
const MAX_GROWTH_MIB = 60

let server: ModelServerFixture
let honest: GoPeer
let hostile: GoPeer
let node: NodeProcess

beforeAll(async () => {
  server = await startModelServer({
    models: ['own-model'],
    answer(request, response) {
      request.resume()
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content: 'well' } }] }))
    },
  })
  honest = await GoPeer.start({ role: 'head', models: ['go-model'] })
  hostile = await GoPeer.start({ role: 'worker', keyType: 'Ed25519' })
  const flags = ['--go-network', 'share', '--bootstrap.addr', honest.address, '--demo-model', 'off']
  node = await startNodeProcess({ flags: [...flags, ...llmFlags(server.port)] })
  await untilListed(node.gateway, 'go-model')
  await until(() => honest.providersOf('own-model').length > 0, { what: 'it is listed', limitMs: 30_000 })
})

afterAll(async () => {
  await node.stop()
  await Promise.all([honest, hostile].map((peer) => peer.stop()))
  await server.close()
})

/** A history as long as that; its newest block. */
function longHistory(): Cid {
  let head: Cid | undefined
  for (let priority = 1; priority <= BLOCKS; priority += 1) {
    const element = { key: '/nobody', id: '', value: Buffer.from(String(priority)) }
    const bytes = encodeBlock({
      links: head === undefined ? [] : [head],
      elements: [element],
      tombstones: [],
      priority,
    })
    head = cidOf(bytes)
    hostile.blocks.set(head, bytes)
  }
  return head as Cid
}

const madeUpId = (): string =>
  base58btc.encode(Buffer.concat([Buffer.from('002408011220', 'hex'), randomBytes(32)])).slice(1)

function manyRows(): Record<string, unknown> {
  const row = hostile.ownRow({
    service: [{ name: 'llm', identity_group: ['model=made-up', `model=${'x'.repeat(400)}`] }],
  })
  const ids = Array.from({ length: ROWS }, madeUpId)
  return Object.fromEntries(ids.map((id) => [`/${id}`, { ...row, id, relay_peer: hostile.id }]))
}

describe('a node in a hostile network of that kind', () => {
  test('bears a long history, many rows and many wants, and serves its owner meanwhile', async () => {
    const head = longHistory()
    hostile.hearsay = manyRows()
    // As many as are answered during the attack: what requests alone take is there before.
    for (let count = 0; count < 1_000; count += 1) await chat(node.gateway, { model: 'own-model' })
    const before = node.rssMiB()
    await hostile.dial(node.multiaddrs.find((address) => address.includes('/tcp/') && !address.includes('/ws')) ?? '')
    const peer = hostile.libp2p.getPeers().find((id) => id.toString() === node.peerId)
    if (peer === undefined) throw new Error('not connected')
    let most = before
    let bad = 0
    let served = 0
    let sent = 0
    const beganAt = performance.now()
    while (performance.now() - beganAt < ATTACK_MS) {
      const due = Math.floor(((performance.now() - beganAt) / 1000) * WANTS_PER_S) - sent
      const want = (): Want => ({
        ...{ cid: `01701220${randomBytes(32).toString('hex')}`, type: 'have', cancel: false, sendDontHave: true },
      })
      if (due > 0) await hostile.send(peer, encodeMessage({ wants: Array.from({ length: due }, want) }))
      sent += due
      // Blocks that there are, and some that nobody has.
      await hostile.broadcast([head, `01701220${randomBytes(32).toString('hex')}`])
      const { status } = await chat(node.gateway, { model: 'own-model' })
      if (status === 200) served += 1
      else bad += 1
      most = Math.max(most, node.rssMiB())
    }
    expect(bad).toBe(0)
    expect(served).toBeGreaterThan(10)
    expect(sent).toBeGreaterThan(1_000)
    expect(most - before).toBeLessThan(MAX_GROWTH_MIB)
    expect(hostile.seen.wants).toBeLessThan(2_000)
    expect((await modelIds(node.gateway)).toSorted()).toEqual(['go-model', 'own-model'])
  })

  test('is still listed at an honest one, above the long history', async () => {
    expect((await honest.serve('own-model')).status).toBe(200)
  })
})
