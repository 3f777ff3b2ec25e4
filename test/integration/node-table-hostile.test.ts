import type * as Crypto from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { afterEach, expect, test, vi } from 'vitest'
import { TABLE_TOPIC } from '../../src-main/node-table/replicate/gossip.js'
import { encodeGossipMessages } from '../../src-main/node-table/replicate/gossip.js'
import { SYNC_PROTOCOL } from '../../src-main/node-table/replicate/sync.js'
import { canonicalUpdate, clientIdOf } from '../../src-main/node-table/wire/canonical-update.js'
import { createEnvelopeSigner } from '../../src-main/node-table/wire/envelope.js'
import { EPOCH_MS, epochOf } from '../../src-main/node-table/wire/epoch.js'
import { STATUS_PROTOCOL } from '../../src-main/node-table/wire/status-message.js'
import { encodeFrame } from '../../src-main/node-table/wire/sync-frames.js'
import type { Host } from '../../src-main/p2p/index.js'
import { connect, startBareHost } from '../fixtures/bare-host.js'
import { hostileUpdates } from '../fixtures/hostile-updates.js'
import { connectRing, createTableNodes, offer, viewOf, type TableNode } from '../fixtures/table-nodes.js'
import { createRandom, mutate, recordOffering } from '../fixtures/table-owners.js'

const HONEST = 6
const HOSTILE = 2
/** Signature checks a node may be made to do by one hostile peer until it is not listened to any more. */
const CHECKS_PER_ATTACKER = 100

/** Ed25519 checks in this process, nearly all the work a message can cause. The attackers of this test do none. */
const work = vi.hoisted(() => ({ checks: (): number => 0 }))
vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof Crypto>()
  const verify = vi.fn(original.verify)
  work.checks = () => verify.mock.calls.length
  return { ...original, verify }
})

const nodes = createTableNodes()
const eventually = { timeout: 60_000, interval: 50 }

afterEach(() => nodes.close())

interface Attacker {
  host: Host
  sign(options: { models?: string[]; atMs?: number; peerId?: string }): Uint8Array
}

async function startAttacker(): Promise<Attacker> {
  const privateKey = await generateKeyPair('Ed25519')
  const host = await startBareHost({ privateKey })
  nodes.defer(() => host.stop())
  host.pubsub.subscribe(TABLE_TOPIC)
  const signer = createEnvelopeSigner(privateKey)
  return {
    host,
    sign({ models = ['bait'], atMs = Date.now(), peerId = host.peerId }) {
      const epoch = epochOf(atMs)
      const record = recordOffering(peerId, models)
      return signer.sign({ epoch, seq: atMs - epoch * EPOCH_MS, leaseMs: 600_000, record })
    },
  }
}

/** Everything the study lists that can be said by gossip. Returns how many messages went out. */
async function attackByGossip(attacker: Attacker, genuine: readonly Uint8Array[], seed: number): Promise<number> {
  const random = createRandom(seed)
  const now = Date.now()
  const soon = 60_000 + now
  const claims = [
    attacker.sign({ atMs: now + 2 * EPOCH_MS }),
    attacker.sign({ atMs: now - 2 * EPOCH_MS }),
    attacker.sign({ peerId: nodes.folder.name, atMs: soon }),
    ...Array.from({ length: 40 }, (_, index) =>
      attacker.sign({ models: [`flood-${String(index)}`], atMs: now + index }),
    ),
    attacker.sign({ models: ['one'], atMs: soon - 10_000 }),
    attacker.sign({ models: ['other'], atMs: soon - 10_000 }),
  ]
  const noise = Array.from({ length: 60 }, (_, index) => mutate(genuine[index % genuine.length]!, random))
  const messages = [
    ...encodeGossipMessages(genuine),
    ...claims.flatMap((envelope) => encodeGossipMessages([envelope])),
    ...hostileUpdates({ peerId: 'x', clientId: 5, clock: 5 }).map(([, update]) => update.subarray(0, 60_000)),
    ...noise.flatMap((envelope) => (envelope.byteLength === 0 ? [] : encodeGossipMessages([envelope]))),
    ...noise,
    new Uint8Array(20_000),
  ]
  let sent = 0
  for (const message of messages) {
    // Gossipsub refuses to send a message twice: some mutations are alike.
    sent += await attacker.host.pubsub.publish(TABLE_TOPIC, message).then(
      () => 1,
      () => 0,
    )
  }
  return sent
}

/** Opens a stream, says `bytes`, and waits for its end. */
async function say(from: Host, to: Host, protocol: string, bytes: Uint8Array): Promise<void> {
  const [connection] = from.libp2p.getConnections(to.identity.peerId)
  if (connection === undefined) return
  const stream = await connection.newStream(protocol).catch(() => undefined)
  if (stream === undefined) return
  stream.addEventListener('message', () => undefined)
  if (stream.status === 'open') stream.send(bytes)
  await stream.close({ signal: AbortSignal.timeout(1000) }).catch(() => undefined)
  // Some of what is said leaves the other side waiting, for longer than is waited for here: that it has read all will do.
  await expect.poll(() => stream.status !== 'open' || hasReadAll(from, to, protocol), eventually).toBe(true)
  if (stream.status === 'open') stream.abort(new Error('done'))
}

/** No byte that the peer said over its streams of that protocol is left unread. */
function hasReadAll(from: Host, to: Host, protocol: string): boolean {
  return to.libp2p
    .getConnections(from.identity.peerId)
    .flatMap(({ streams }) => streams)
    .filter((stream) => stream.protocol === protocol && stream.direction === 'inbound')
    .every(({ readBufferLength, remoteWriteStatus }) => readBufferLength === 0 && remoteWriteStatus === 'closed')
}

/** Gossipsub's score of a peer, which its types keep to itself. */
function scoreOf(node: TableNode, peerId: string): number {
  const { score } = node.host.pubsub as unknown as { score: { score(id: string): number } }
  return score.score(peerId)
}

async function attackBySync(attacker: Attacker, target: TableNode, rows: readonly Uint8Array[]): Promise<number> {
  const random = createRandom(9)
  const clientId = clientIdOf(target.host.peerId, epochOf(Date.now()))
  const hello = encodeFrame({ type: 'hello', digest: new Uint8Array(16).fill(3), timeMs: Date.now() })
  const state = encodeFrame({ type: 'state', clocks: new Map([[clientId, 2 ** 50]]), timeMs: Date.now() })
  const asRows = (update: Uint8Array): Uint8Array =>
    Uint8Array.from([...hello, ...encodeFrame({ type: 'rows', update }), ...state])
  const forged = rows.map((bytes) => mutate(bytes, random))
  const attacks = [
    ...hostileUpdates({ peerId: target.host.peerId, clientId, clock: 5 }).map(([, update]) => asRows(update)),
    ...forged.map((bytes) => asRows(canonicalUpdate([{ peerId: 'any', epoch: 1, seq: 3, clientId: 4, bytes }]))),
    Uint8Array.from([...hello, ...hello]),
    Uint8Array.from([0xff, 0xff, 0xff, 0xff, 1]),
    new Uint8Array(3 * 1024 * 1024),
    Uint8Array.from([...hello, 0, 1, 0, 0, 2, ...new Uint8Array(65_535).fill(0xff)]),
  ]
  for (const bytes of attacks) await say(attacker.host, target.host, SYNC_PROTOCOL, bytes)
  await say(attacker.host, target.host, STATUS_PROTOCOL, new Uint8Array(18).fill(0xff))
  return attacks.length
}

test(
  'six honest nodes stay right under two hostile ones, which end up banned, at a bounded cost',
  {
    timeout: 240_000,
  },
  async () => {
    const honest = await Promise.all(Array.from({ length: HONEST }, () => nodes.start({ syncEveryMs: 2_000 })))
    await connectRing(honest)
    for (const [index, node] of honest.entries()) await offer(node, `model-${String(index)}`)
    const right = Object.fromEntries(
      honest
        .map((node, index): [string, string[]] => [node.host.peerId, [`model=model-${String(index)}`]])
        .sort(([a], [b]) => a.localeCompare(b)),
    )
    const honestViews = (): unknown[] =>
      honest.map((node) => {
        const view = viewOf(node)
        return Object.fromEntries(Object.entries(view).filter(([peerId]) => peerId in right))
      })
    const allRight = honest.map(() => right)
    await expect.poll(honestViews, eventually).toEqual(allRight)

    const attackers = await Promise.all(Array.from({ length: HOSTILE }, startAttacker))
    for (const attacker of attackers) for (const node of honest) await connect(attacker.host, node.host)
    const isMeshed = (): boolean =>
      attackers.every(({ host }) => host.pubsub.getSubscribers(TABLE_TOPIC).length >= HONEST)
    await expect.poll(isMeshed, eventually).toBe(true)

    /** What is wrong at any moment of the attack, looked at every few milliseconds. */
    const wrongs: unknown[] = []
    const watch = setInterval(() => {
      for (const view of honestViews()) if (JSON.stringify(view) !== JSON.stringify(right)) wrongs.push(view)
    }, 20)
    const genuine: Uint8Array[] = []
    attackers[0]!.host.pubsub.addEventListener('gossipsub:message', ({ detail }) => {
      genuine.push(detail.msg.data.subarray(2))
    })
    // A genuine renewal for the attackers to replay and to mutate.
    await offer(honest[0]!, 'model-0', 'again')
    right[honest[0]!.host.peerId] = ['model=model-0', 'model=again']
    wrongs.length = 0
    await expect.poll(() => genuine.length, eventually).toBeGreaterThan(0)
    await expect.poll(honestViews, eventually).toEqual(allRight)
    wrongs.length = 0

    let messages = 0
    const attack = async (seed: number, targets: readonly TableNode[]): Promise<void> => {
      for (const [index, attacker] of attackers.entries()) {
        messages += await attackByGossip(attacker, genuine, seed + index)
      }
      const bySync = attackers.flatMap((attacker) =>
        targets.map((node) => attackBySync(attacker, node, [genuine[0]!, attacker.sign({})])),
      )
      for (const sent of await Promise.all(bySync)) messages += sent
    }
    const checksBefore = work.checks()
    await attack(1, honest)
    const bannedAt = (node: TableNode): string[] => node.table.health().bannedPeers
    const expectedBans = attackers.map(({ host }) => host.peerId).sort()
    await expect
      .poll(() => honest.map((node) => bannedAt(node).sort()), eventually)
      .toEqual(honest.map(() => expectedBans))
    const checks = work.checks() - checksBefore
    expect(checks).toBeGreaterThan(0)
    expect(checks / HONEST / HOSTILE).toBeLessThan(CHECKS_PER_ATTACKER)

    // What they say from now on costs next to nothing, however much it is.
    const [saidBefore, checksAtBan] = [messages, work.checks()]
    await attack(100, honest.slice(0, 2))
    expect(messages - saidBefore).toBeGreaterThan(200)
    expect(work.checks() - checksAtBan).toBeLessThanOrEqual(HONEST * HOSTILE)
    clearInterval(watch)
    expect(wrongs).toEqual([])
    for (const node of honest) {
      for (const peerId of expectedBans) expect(scoreOf(node, peerId)).toBeLessThan(0)
      for (const other of honest) expect(scoreOf(node, other.host.peerId)).toBeGreaterThanOrEqual(0)
    }

    // The network still works, for newcomers as well.
    await offer(honest[1]!, 'model-1', 'after')
    right[honest[1]!.host.peerId] = ['model=model-1', 'model=after']
    const newcomer = await nodes.start()
    await connect(newcomer.host, honest[3]!.host)
    honest.push(newcomer)
    await expect.poll(honestViews, eventually).toEqual([...allRight, right])
  },
)
