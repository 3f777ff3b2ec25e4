import type { KeyObject } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import type { OfferedService, OwnOffersSource, Trust } from '../../src-main/node-table/index.js'
import { importPrivateKey } from '../../src-main/node-table/wire/key-ring.js'
import {
  encodeOffersAnswer,
  encodeOffersRequest,
  OFFERS_PROTOCOL,
} from '../../src-main/node-table/wire/offers-message.js'
import type { Host } from '../../src-main/p2p/index.js'
import { connect, startBareHost } from '../fixtures/bare-host.js'
import { createOffsetClock, createTableNodes, type TableNode } from '../fixtures/table-nodes.js'
import { until } from '../fixtures/until.js'

const nodes = createTableNodes()
afterEach(() => nodes.close())

/** Something that changes under the test's hand. */
function changing<T>(value: T): { value: T; set(next: T): void; subscribe(listener: () => void): () => void } {
  const listeners = new Set<() => void>()
  return {
    value,
    set(next) {
      this.value = next
      for (const listener of listeners) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

const llm = (...models: string[]): OfferedService[] => [
  { name: 'llm', status: 'connected', identity_group: models.map((id) => `model=${id}`) },
]

interface Party extends TableNode {
  trusted: ReturnType<typeof changing<readonly string[]>>
  offers: ReturnType<typeof changing<readonly OfferedService[]>>
}

async function party(options: { clock?: ReturnType<typeof createOffsetClock> } = {}): Promise<Party> {
  const trusted = changing<readonly string[]>([])
  const offers = changing<readonly OfferedService[]>([])
  const trust: Trust = { isTrusted: (peerId) => trusted.value.includes(peerId), subscribe: (l) => trusted.subscribe(l) }
  const ownOffers: OwnOffersSource = { current: () => offers.value, subscribe: (l) => offers.subscribe(l) }
  const node = await nodes.start({ trust, ownOffers, ...options })
  return { ...node, trusted, offers }
}

const toldBy = (node: TableNode, peer: TableNode): string[] =>
  node.table.offers.of(peer.host.peerId).flatMap(({ identity_group: entries }) => entries)

/** Two parties that are connected and trust each other. */
async function friends(options?: Parameters<typeof party>[0]): Promise<[Party, Party]> {
  const [one, other] = [await party(options), await party()]
  one.trusted.set([other.host.peerId])
  other.trusted.set([one.host.peerId])
  await connect(one.host, other.host)
  return [one, other]
}

/** The bytes a host gets for this question, to the end of the stream. */
async function answerBytes(asker: Host, asked: Host, question: Uint8Array): Promise<Buffer> {
  const [connection] = asker.connectionsTo(asked.peerId)
  const stream = await connection!.newStream(OFFERS_PROTOCOL)
  const chunks: Buffer[] = []
  const ended = new Promise<void>((resolve) => {
    for (const event of ['remoteCloseWrite', 'close'] as const) stream.addEventListener(event, () => resolve())
  })
  stream.addEventListener('message', ({ data }) => chunks.push(Buffer.from(data.subarray())))
  stream.send(question)
  await ended
  return Buffer.concat(chunks)
}

const CHANGED = encodeOffersRequest({ kind: 'changed' })
const ASK = encodeOffersRequest({ kind: 'ask', nonce: new Uint8Array(16).fill(7) })

describe('what trusted peers are told', () => {
  test('a trusted peer hears what it may use and soon every change, and the table has nothing of it', async () => {
    const [one, other] = await friends()
    other.offers.set(llm('secret-1'))
    await until(() => toldBy(one, other).length > 0, { what: 'the offers are there' })
    expect(toldBy(one, other)).toEqual(['model=secret-1'])
    expect([...one.table.offers.providers('llm', 'model=secret-1')]).toEqual([other.host.peerId])
    expect([...one.table.providers('llm', 'model=secret-1')]).toEqual([])

    const changedAt = performance.now()
    other.offers.set(llm('secret-2'))
    await until(() => toldBy(one, other).includes('model=secret-2'), { what: 'the change is there' })
    expect(performance.now() - changedAt).toBeLessThan(4_000)
    expect([...one.table.offers.providers('llm', 'model=secret-1')]).toEqual([])

    other.offers.set([])
    await until(() => toldBy(one, other).length === 0, { what: 'nothing is offered any more' })
  })

  test('a stranger gets the very bytes of a node that has nothing to offer, whatever there is', async () => {
    const stranger = await startBareHost()
    nodes.defer(() => stranger.stop())
    const asked = await party()
    await connect(stranger, asked.host)
    const empty = await answerBytes(stranger, asked.host, ASK)
    asked.offers.set(llm('secret-1', 'secret-2'))
    asked.trusted.set(['somebody'])
    expect(await answerBytes(stranger, asked.host, ASK)).toEqual(empty)
    // To one that is trusted and has nothing to gain it is the same answer; only what there is differs.
    asked.trusted.set([stranger.peerId])
    expect((await answerBytes(stranger, asked.host, ASK)).toString('latin1')).toContain('secret-1')
    asked.offers.set([])
    expect(await answerBytes(stranger, asked.host, ASK)).toEqual(empty)
  })

  test('a stranger is never told that something changed, and what it tells is not asked for', async () => {
    const heard: string[] = []
    const stranger = await startBareHost()
    nodes.defer(() => stranger.stop())
    await stranger.libp2p.handle(OFFERS_PROTOCOL, () => void heard.push('a stream'))
    const [one, other] = await friends()
    await connect(stranger, other.host)
    expect(await answerBytes(stranger, other.host, CHANGED)).toHaveLength(0)
    other.offers.set(llm('secret-1'))
    await until(() => toldBy(one, other).length > 0, { what: 'the trusted one has heard of it' })
    expect(heard).toEqual([])
  })

  test('who is trusted later hears of it then, and who is no longer trusted is forgotten at once', async () => {
    const [one, other] = [await party(), await party()]
    other.offers.set(llm('secret-1'))
    await connect(one.host, other.host)
    one.trusted.set([other.host.peerId])
    expect(toldBy(one, other)).toEqual([])
    other.trusted.set([one.host.peerId])
    await until(() => toldBy(one, other).length > 0, { what: 'the offers are there' })
    one.trusted.set([])
    expect(toldBy(one, other)).toEqual([])
  })

  test('a peer that is no longer trusted forgets at once what it was told, and hears nothing after that', async () => {
    const [one, other] = await friends()
    other.offers.set(llm('secret-1'))
    await until(() => toldBy(one, other).length > 0, { what: 'the offers are there' })
    const heard: string[] = []
    const former = await startBareHost()
    nodes.defer(() => former.stop())
    await former.libp2p.handle(OFFERS_PROTOCOL, (stream) => {
      stream.addEventListener('message', ({ data }) => {
        if (data.byteLength === CHANGED.byteLength) heard.push('changed')
        void stream.close()
      })
    })
    await connect(former, other.host)
    await until(() => other.host.isConnected(former.peerId), { what: 'both ends have the connection' })
    other.trusted.set([one.host.peerId, former.peerId])
    await until(() => heard.length > 0, { what: 'it was told that it may ask' })
    heard.length = 0

    other.trusted.set([])
    await until(() => toldBy(one, other).length === 0, { what: 'it has forgotten', limitMs: 10_000 })
    await until(() => heard.length > 0, { what: 'the last word has come' })
    other.offers.set(llm('secret-2'))
    // What is told to one that is trusted afterwards comes after it.
    other.trusted.set([one.host.peerId])
    await until(() => toldBy(one, other).includes('model=secret-2'), { what: 'the trusted one has heard of it' })
    expect(heard).toEqual(['changed'])
  })

  test('a peer that refuses what it offered is asked again, and forgotten where it offers nothing', async () => {
    const [one, other] = await friends()
    other.offers.set(llm('secret-1'))
    await until(() => toldBy(one, other).length > 0, { what: 'the offers are there' })
    // Nothing of it is said, as where the last word got lost.
    other.trusted.value = []
    one.table.offers.ask(other.host.peerId)
    await until(() => toldBy(one, other).length === 0, { what: 'it has forgotten', limitMs: 10_000 })
  })

  test('what a peer told counts until its lease is over, also after it left', async () => {
    const clock = createOffsetClock()
    const [one, other] = await friends({ clock })
    other.offers.set(llm('secret-1'))
    await until(() => toldBy(one, other).length > 0, { what: 'the offers are there' })
    await other.stop()
    await until(() => one.host.connectionsTo(other.host.peerId).length === 0, { what: 'it has left' })
    expect(toldBy(one, other)).toEqual(['model=secret-1'])
    clock.pass(10 * 60_000 + 1)
    await until(() => toldBy(one, other).length === 0, { what: 'they are forgotten' })
  })
})

describe('what a trusted peer answers', () => {
  /** A party that trusts a host which answers with these bytes. */
  async function trusting(
    answer: (nonce: Uint8Array, asker: string, host: Host) => Uint8Array,
  ): Promise<[Party, Host, () => number]> {
    const liar = await startBareHost()
    nodes.defer(() => liar.stop())
    const asker = await party()
    let asked = 0
    await liar.libp2p.handle(OFFERS_PROTOCOL, (stream, connection) => {
      stream.addEventListener('message', ({ data }) => {
        const request = data.subarray()
        if (request.byteLength < 18) return
        asked += 1
        stream.send(answer(request.slice(2), connection.remotePeer.toString(), liar))
        void stream.close()
      })
    })
    asker.trusted.set([liar.peerId])
    await connect(asker.host, liar)
    return [asker, liar, () => asked]
  }
  const keyOf = (host: Host): KeyObject => importPrivateKey(host.identity.privateKey)

  test.each<[string, (nonce: Uint8Array, asker: string, host: Host) => Uint8Array]>([
    [
      'is for another question',
      (nonce, asker, host) =>
        encodeOffersAnswer(
          { leaseMs: 60_000, services: llm('lie') },
          { nonce: nonce.map((byte) => byte ^ 1), asker },
          keyOf(host),
        ),
    ],
    [
      'is for another asker',
      (nonce, asker, host) =>
        encodeOffersAnswer({ leaseMs: 60_000, services: llm('lie') }, { nonce, asker: `${asker}x` }, keyOf(host)),
    ],
    ['never ends', () => new Uint8Array(64 * 1024).fill(1)],
    [
      'counts for ever',
      (nonce, asker, host) =>
        encodeOffersAnswer({ leaseMs: 1e12, services: llm('lie') }, { nonce, asker }, keyOf(host)),
    ],
  ])('is not taken where it %s', async (_name, answer) => {
    const [asker, liar, asked] = await trusting(answer)
    await until(() => asked() > 1, { what: 'it was asked again' })
    expect(asker.table.offers.of(liar.peerId)).toEqual([])
  })

  test('is judged by the rules for names, and bounded in their number', async () => {
    const names = ['fine', 'fi\u200bne', ' blank', '*', ...Array.from({ length: 252 }, (_, index) => `m${index}`)]
    const [asker, liar] = await trusting((nonce, asker_, host) =>
      encodeOffersAnswer({ leaseMs: 60_000, services: llm(...names) }, { nonce, asker: asker_ }, keyOf(host)),
    )
    const told = await until(() => asker.table.offers.of(liar.peerId)[0], { what: 'its offers are there' })
    expect(told.identity_group.slice(0, 3)).toEqual(['model=fine', 'model=*', 'model=m0'])
    expect(told.identity_group.length).toBeLessThanOrEqual(256)
  })
})
