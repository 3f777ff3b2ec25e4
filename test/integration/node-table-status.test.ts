import { afterEach, expect, test } from 'vitest'
import { monotonicClock } from '../../src-main/base/clock.js'
import { createProviderHealth, quarantineMs } from '../../src-main/gateway/routing/provider-health.js'
import { createProviderScores } from '../../src-main/gateway/routing/provider-scores.js'
import { createStatusFollower } from '../../src-main/gateway/routing/status-follower.js'
import type { OwnStatus, PeerStatusEvent } from '../../src-main/node-table/index.js'
import { STATUS_PROTOCOL } from '../../src-main/node-table/wire/status-message.js'
import { offersHash } from '../../src-main/node-table/wire/status-message.js'
import { connect, startBareHost } from '../fixtures/bare-host.js'
import { createOffsetClock, createTableNodes, offer, offering } from '../fixtures/table-nodes.js'

const nodes = createTableNodes()
const eventually = { timeout: 20_000, interval: 10 }

afterEach(() => nodes.close())

test('a peer tells its places, queue and pause, the hash of what it offers and its version', async () => {
  const own: OwnStatus = { slotsTotal: 4, slotsFree: 1, queueLength: 3, paused: null }
  const asked = await nodes.start({ ownStatus: { current: () => own }, version: '1.2.3' })
  const asker = await nodes.start()
  await connect(asker.host, asked.host)
  await offer(asked, 'gpt2')
  const outcome = await asker.table.status.refresh(asked.host.peerId)
  expect(outcome).toMatchObject({
    kind: 'answered',
    status: { ...own, version: '1.2.3', offers: offersHash(offering(asked, 'gpt2')) },
  })
  expect(asker.table.status.get(asked.host.peerId)).toMatchObject(own)
})

test('an answer is kept for 30 s and asked for again after 10, in the background', async () => {
  const clock = createOffsetClock()
  let paused: string | null = null
  let asked = 0
  const provider = await nodes.start({
    ownStatus: {
      current() {
        asked += 1
        return { slotsTotal: 1, slotsFree: 1, queueLength: 0, paused }
      },
    },
  })
  const asker = await nodes.start({ clock })
  await connect(asker.host, provider.host)
  const { status } = asker.table
  const { peerId } = provider.host
  expect(status.get(peerId)).toBeUndefined()
  await expect.poll(() => status.peek(peerId), eventually).toMatchObject({ paused: null })
  for (let round = 0; round < 100; round += 1) status.get(peerId)
  expect(asked).toBe(1)
  paused = 'on battery'
  // The machine's clock is set, which makes no answer older or newer.
  for (const offMs of [3_600_000, -3_600_000]) {
    clock.offsetMs = offMs
    expect(status.get(peerId)).toMatchObject({ paused: null })
  }
  expect(asked).toBe(1)
  clock.pass(11_000)
  expect(status.get(peerId)).toMatchObject({ paused: null })
  await expect.poll(() => status.peek(peerId)?.paused, eventually).toBe('on battery')
  expect(asked).toBe(2)
  clock.pass(49_000)
  expect(status.peek(peerId)).toBeUndefined()
})

test('an answer that another signed, or that answers another question, counts as none', async () => {
  const asker = await nodes.start()
  const genuine = await nodes.start()
  const liar = await startBareHost()
  nodes.defer(() => liar.stop())
  await connect(asker.host, liar)
  await connect(liar, genuine.host)
  const [toGenuine] = liar.libp2p.getConnections(genuine.host.identity.peerId)
  // The liar asks the genuine peer the very question it was asked, and hands on the answer.
  await liar.libp2p.handle(STATUS_PROTOCOL, (stream) => {
    stream.addEventListener('message', ({ data }) => {
      void toGenuine!.newStream(STATUS_PROTOCOL).then((onward) => {
        onward.addEventListener('message', (answer) => stream.send(answer.data))
        onward.send(data)
      })
    })
  })
  expect(await asker.table.status.refresh(liar.peerId)).toEqual({ kind: 'invalid' })
  expect(asker.table.status.peek(liar.peerId)).toBeUndefined()
})

test('a peer whose row is out of date here is synced with as soon as its status shows it', async () => {
  const [asker, provider] = [await nodes.start(), await nodes.start()]
  await connect(asker.host, provider.host)
  await offer(provider, 'old')
  await expect.poll(() => asker.table.providers('llm', 'model=old').size, eventually).toBe(1)
  // Gossip is cut: only a sync can bring the change.
  provider.host.pubsub.unsubscribe('/ocf/table/1')
  asker.host.pubsub.unsubscribe('/ocf/table/1')
  await offer(provider, 'new')
  await asker.table.status.refresh(provider.host.peerId)
  await expect.poll(() => asker.table.providers('llm', 'model=new').size, eventually).toBe(1)
})

test('a peer that is gone is quarantined by one’s own probe only, for a growing while, and free when it answers', async () => {
  const clock = createOffsetClock()
  const monotonic = { elapsedMs: () => clock.now() }
  const [asker, provider] = [await nodes.start({ clock }), await nodes.start()]
  await connect(asker.host, provider.host)
  await offer(provider, 'gpt2')
  await expect.poll(() => asker.table.size, eventually).toBe(1)
  const health = createProviderHealth({ host: asker.host, table: asker.table, monotonic, log: asker.log })
  await health.start(new AbortController().signal)
  nodes.defer(() => health.stop())
  const events: PeerStatusEvent[] = []
  asker.table.status.subscribe((event) => events.push(event))
  const { peerId } = provider.host

  asker.table.status.hint(peerId)
  await expect.poll(() => events.length, eventually).toBe(1)
  expect([events[0]?.outcome.kind, health.isRoutable(peerId)]).toEqual(['answered', true])

  await provider.stop()
  await expect.poll(() => health.isRoutable(peerId), eventually).toBe(false)
  const failures = (): number => events.filter(({ outcome }) => outcome.kind === 'unreachable').length
  const before = failures()
  clock.pass(6_000)
  await expect.poll(failures, eventually).toBe(before + 1)
  expect([1, 2, 3, 20].map(quarantineMs)).toEqual([5_000, 10_000, 20_000, 300_000])
  expect(health.reasonOf(peerId)).toBeDefined()

  const back = await startBareHost({ privateKey: provider.host.identity.privateKey })
  nodes.defer(() => back.stop())
  await connect(back, asker.host)
  await expect.poll(() => health.isRoutable(peerId), eventually).toBe(true)
})

test('a peer that says it is paused is left out, and what one says of its load is known to the choice', async () => {
  const own: OwnStatus = { slotsTotal: 1, slotsFree: 0, queueLength: 1, paused: null }
  const [asker, provider] = [await nodes.start(), await nodes.start({ ownStatus: { current: () => own } })]
  await connect(asker.host, provider.host)
  const health = createProviderHealth({
    host: asker.host,
    table: asker.table,
    monotonic: monotonicClock,
    log: asker.log,
  })
  const { peerId } = provider.host
  const scores = createProviderScores({ monotonic: monotonicClock })
  const follower = createStatusFollower({ table: asker.table, scores })
  await follower.start(new AbortController().signal)
  nodes.defer(() => follower.stop())
  asker.table.status.get(peerId)
  await expect.poll(() => scores.load(peerId), eventually).toMatchObject({ slots: 1, othersQueued: 1 })
  expect(health.isRoutable(peerId)).toBe(true)
  own.paused = 'the owner is playing'
  await asker.table.status.refresh(peerId)
  expect([health.isRoutable(peerId), health.reasonOf(peerId)]).toEqual([false, 'the owner is playing'])
})
