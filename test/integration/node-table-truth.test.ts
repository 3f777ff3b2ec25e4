import { generateKeyPair } from '@libp2p/crypto/keys'
import { afterEach, expect, test } from 'vitest'
import { SYNC_PROTOCOL } from '../../src-main/node-table/replicate/sync.js'
import { canonicalUpdate, clientIdOf } from '../../src-main/node-table/wire/canonical-update.js'
import { createEnvelopeSigner } from '../../src-main/node-table/wire/envelope.js'
import { EPOCH_MS, epochOf } from '../../src-main/node-table/wire/epoch.js'
import { createFrameStream } from '../../src-main/node-table/wire/sync-frames.js'
import type { Host } from '../../src-main/p2p/index.js'
import { connect, startBareHost } from '../fixtures/bare-host.js'
import { connectRing, createTableNodes, offer, type TableNode } from '../fixtures/table-nodes.js'
import { recordOffering } from '../fixtures/table-owners.js'

const nodes = createTableNodes()
const eventually = { timeout: 30_000, interval: 50 }
const HOUR = 60 * 60_000

afterEach(() => nodes.close())

interface Stranger {
  host: Host
  /** A signed row of this stranger, or its withdrawal. */
  sign(options: { model?: string; atMs?: number }): Uint8Array
  /** Hands rows to a node by a sync, as a peer that has nothing else. */
  bring(node: TableNode, ...rows: { peerId: string; bytes: Uint8Array }[]): Promise<void>
}

async function startStranger(): Promise<Stranger> {
  const privateKey = await generateKeyPair('Ed25519')
  const host = await startBareHost({ privateKey })
  nodes.defer(() => host.stop())
  const signer = createEnvelopeSigner(privateKey)
  return {
    host,
    sign({ model, atMs = Date.now() }) {
      const epoch = epochOf(atMs)
      const record = model === undefined ? undefined : recordOffering(host.peerId, [model])
      return signer.sign({ epoch, seq: atMs - epoch * EPOCH_MS, leaseMs: 12 * HOUR, record })
    },
    async bring(node, ...rows) {
      await connect(host, node.host)
      const [connection] = host.libp2p.getConnections(node.host.identity.peerId)
      const stream = await connection!.newStream(SYNC_PROTOCOL)
      const frames = createFrameStream(stream, AbortSignal.timeout(10_000))
      frames.write({ type: 'hello', digest: new Uint8Array(16).fill(1), timeMs: Date.now() })
      expect(await frames.read()).toMatchObject({ type: 'state' })
      const epoch = epochOf(Date.now())
      for (const [index, { peerId, bytes }] of rows.entries()) {
        const entry = { peerId, epoch, seq: 1, clientId: clientIdOf(`${peerId}${String(index)}`, epoch), bytes }
        frames.write({ type: 'rows', update: canonicalUpdate([entry]) })
        const answer = await frames.read()
        expect(answer).toMatchObject({ type: expect.stringMatching(/taken|enough/) })
        // Who goes on after that is cut off.
        if (typeof answer === 'object' && answer.type === 'enough') break
      }
      frames.abort('done')
    },
  }
}

const lists = (node: TableNode, peerId: string): boolean => node.table.get(peerId) !== undefined

test('a withdrawn row stays withdrawn for a newcomer, also where strangers have filled the table since', async () => {
  const MAX_ROWS = 20
  const keeper = await nodes.start({ maxRows: MAX_ROWS, syncEveryMs: 500 })
  const owner = await startStranger()
  const old = owner.sign({ model: 'withdrawn', atMs: Date.now() - 60_000 })
  await owner.bring(keeper, { peerId: owner.host.peerId, bytes: old })
  await expect.poll(() => lists(keeper, owner.host.peerId), eventually).toBe(true)
  await owner.bring(keeper, { peerId: owner.host.peerId, bytes: owner.sign({}) })
  await expect.poll(() => lists(keeper, owner.host.peerId), eventually).toBe(false)
  await owner.host.stop()
  const strangers = await Promise.all(Array.from({ length: MAX_ROWS + 4 }, startStranger))
  const rows = strangers.map((each) => ({ peerId: each.host.peerId, bytes: each.sign({ model: 'filler' }) }))
  const [attacker] = strangers
  await attacker!.bring(keeper, ...rows)
  await expect.poll(() => keeper.table.health().isFull, eventually).toBe(true)

  const newcomer = await nodes.start({ syncEveryMs: 500 })
  await attacker!.bring(newcomer, { peerId: owner.host.peerId, bytes: old })
  await expect.poll(() => lists(newcomer, owner.host.peerId), eventually).toBe(true)
  await connect(newcomer.host, keeper.host)
  await expect.poll(() => lists(newcomer, owner.host.peerId), eventually).toBe(false)
  await attacker!.bring(newcomer, { peerId: owner.host.peerId, bytes: old })
  expect(lists(newcomer, owner.host.peerId)).toBe(false)
})

test('a withdrawal outlives a restart of every node that saw it', async () => {
  const first = await nodes.start()
  const owner = await startStranger()
  const old = owner.sign({ model: 'withdrawn', atMs: Date.now() - 60_000 })
  await owner.bring(first, { peerId: owner.host.peerId, bytes: old })
  await owner.bring(first, { peerId: owner.host.peerId, bytes: owner.sign({}) })
  await expect.poll(() => lists(first, owner.host.peerId), eventually).toBe(false)
  await first.stop()
  const again = await nodes.start({ dataDir: first.dataDir })
  const attacker = await startStranger()
  await attacker.bring(again, { peerId: owner.host.peerId, bytes: old })
  expect(lists(again, owner.host.peerId)).toBe(false)
})

test('two rows with one number, seen together by one node only, make every node drop their owner, a newcomer too', async () => {
  const all = await Promise.all(Array.from({ length: 4 }, () => nodes.start({ syncEveryMs: 1000 })))
  await connectRing(all)
  await offer(all[0]!, 'honest')
  const liar = await startStranger()
  const atMs = Date.now()
  const [one, other] = [liar.sign({ model: 'one', atMs }), liar.sign({ model: 'other', atMs })]
  for (const node of all) await liar.bring(node, { peerId: liar.host.peerId, bytes: one })
  await expect.poll(() => all.map((node) => lists(node, liar.host.peerId)), eventually).toEqual(all.map(() => true))
  await liar.bring(all[2]!, { peerId: liar.host.peerId, bytes: other })
  await liar.host.stop()
  await expect.poll(() => all.map((node) => lists(node, liar.host.peerId)), eventually).toEqual(all.map(() => false))

  const attacker = await startStranger()
  const newcomer = await nodes.start({ syncEveryMs: 500 })
  await attacker.bring(newcomer, { peerId: liar.host.peerId, bytes: one })
  await expect.poll(() => lists(newcomer, liar.host.peerId), eventually).toBe(true)
  await connect(newcomer.host, all[0]!.host)
  await expect.poll(() => lists(newcomer, liar.host.peerId), eventually).toBe(false)
  expect(lists(newcomer, all[0]!.host.peerId)).toBe(true)
})
