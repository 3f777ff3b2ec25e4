import { afterEach, expect, test, vi } from 'vitest'
import { EPOCH_MS, epochOf, epochStart } from '../../src-main/node-table/wire/epoch.js'
import { connect, startBareHost } from '../fixtures/bare-host.js'
import { createHosts } from '../fixtures/hosts.js'
import {
  connectRing,
  createOffsetClock,
  createTableNodes,
  offer,
  viewOf,
  type TableNode,
} from '../fixtures/table-nodes.js'

const nodes = createTableNodes()
const hosts = createHosts()
const within = (timeout: number): { timeout: number; interval: number } => ({ timeout, interval: 20 })

afterEach(async () => {
  await nodes.close()
  await hosts.close()
})

const startMany = (count: number, options: Parameters<typeof nodes.start>[0]): Promise<TableNode[]> =>
  Promise.all(Array.from({ length: count }, () => nodes.start(options)))

async function separate(left: readonly TableNode[], right: readonly TableNode[]): Promise<void> {
  for (const a of left) for (const b of right) await a.host.libp2p.hangUp(b.host.identity.peerId)
}

test('two groups apart over a change of the epoch have equal views within 30 s of meeting again', async () => {
  const clock = createOffsetClock()
  clock.offsetMs = epochStart(epochOf(Date.now()) + 1) - 60_000 - Date.now()
  const all = await startMany(6, { clock })
  const [left, right] = [all.slice(0, 3), all.slice(3)]
  await connectRing(all)
  for (const [index, node] of all.entries()) await offer(node, `before-${String(index)}`)
  await expect.poll(() => all.map((node) => node.table.size), within(30_000)).toEqual(all.map(() => 6))
  await separate(left, right)
  clock.pass(5 * 60_000)
  await offer(left[0]!, 'left')
  await offer(right[0]!, 'right')
  await left[1]!.table.withdraw()
  await expect.poll(() => left.map(viewOf), within(30_000)).toEqual(left.map(() => viewOf(left[0]!)))
  expect(viewOf(right[0]!)[left[0]!.host.peerId]).toEqual(['model=before-0'])
  // The rest of each group moves its rows into the new epoch.
  clock.pass(2 * 3_600_000)
  await expect.poll(() => left.map((node) => node.table.size), within(30_000)).toEqual([2, 2, 2])
  await expect.poll(() => right.map((node) => node.table.size), within(30_000)).toEqual([3, 3, 3])

  await connect(left[2]!.host, right[2]!.host)
  const healed = {
    ...viewOf(left[0]!),
    ...viewOf(right[0]!),
  }
  expect(Object.keys(healed)).toHaveLength(5)
  await expect.poll(() => all.map(viewOf), within(30_000)).toEqual(all.map(() => healed))
  expect(healed[left[0]!.host.peerId]).toEqual(['model=left'])
})

test('a node back after three epochs has the right view, and is in everyone’s, soon after connecting', async () => {
  const clock = createOffsetClock()
  const [a, b, gone] = (await startMany(3, { clock })) as [TableNode, TableNode, TableNode]
  await connectRing([a, b, gone])
  for (const [index, node] of [a, b, gone].entries()) await offer(node, `model-${String(index)}`)
  await expect.poll(() => gone.table.size, within(30_000)).toBe(3)
  await gone.stop()
  await b.table.withdraw()
  clock.pass(3 * EPOCH_MS)
  await expect.poll(() => Object.keys(viewOf(b)), within(30_000)).toEqual([a.host.peerId])

  const { privateKey } = gone.host.identity
  const back = await nodes.start({ clock, dataDir: gone.dataDir, host: await startBareHost({ privateKey }) })
  expect(back.table.size).toBe(0)
  await offer(back, 'back')
  await connect(back.host, a.host)
  await expect
    .poll(() => [a, b, back].map((node) => viewOf(node)), within(30_000))
    .toEqual([a, b, back].map(() => ({ ...viewOf(a), [back.host.peerId]: ['model=back'] })))
  expect(Object.keys(viewOf(back)).sort()).toEqual([a.host.peerId, back.host.peerId].sort())
})

test.each([
  ['ahead', 2],
  ['behind', -2],
] as const)(
  'a node whose clock is two days %s is told so, and works as soon as it is set right',
  async (word, days) => {
    const wrong = createOffsetClock(days * EPOCH_MS)
    const [a, b, c] = (await startMany(3, {})) as [TableNode, TableNode, TableNode]
    const off = await nodes.start({ clock: wrong })
    await offer(a, 'a')
    await offer(b, 'b')
    await offer(off, 'off')
    await connectRing([a, b, off, c])
    // It takes three to say so.
    await connect(off.host, a.host)
    const line = await off.log.line(
      `this machine’s clock seems 2 days ${word}: the network refuses this node’s row until it is set right`,
    )
    expect(line.level).toBe('warn')
    expect(off.table.health()).toMatchObject({ isClockWrong: true })
    expect(Math.round((off.table.health().clockAheadMs ?? 0) / EPOCH_MS)).toBe(days)
    await expect.poll(() => viewOf(a), within(30_000)).toEqual(viewOf(b))
    expect([a.table.size, a.table.health().isClockWrong, off.table.size]).toEqual([2, false, 1])

    wrong.offsetMs = 0
    const right = { [a.host.peerId]: ['model=a'], [b.host.peerId]: ['model=b'], [off.host.peerId]: ['model=off'] }
    await expect.poll(() => [a, b, off].map(viewOf), within(30_000)).toEqual([right, right, right])
    await expect.poll(() => off.table.health().isClockWrong, within(30_000)).toBe(false)
    expect(off.log.lines.filter(({ level }) => level === 'error')).toEqual([])
  },
)

test('a node with a partial table finds a provider by the DHT, and only asks it for real', async () => {
  const start = async (options: Parameters<typeof nodes.start>[0]): Promise<TableNode> =>
    nodes.start({ ...options, host: await hosts.host() })
  const [middle, provider, seeker] = [await start({}), await start({}), await start({ reader: 'dht', maxRows: 2 })]
  await connect(provider.host, middle.host)
  await offer(middle, 'known')
  await offer(provider, 'rare')
  await expect.poll(() => middle.table.size, within(30_000)).toBe(2)
  await offer(seeker, 'own')
  await connect(seeker.host, middle.host)
  await expect.poll(() => seeker.table.size, within(30_000)).toBe(2)
  expect(seeker.table.providers('llm', 'model=rare').size).toBe(0)
  expect(seeker.table.health()).toMatchObject({ reader: 'dht', isFull: true })

  // The provider's record is on its way to those who keep it.
  await expect
    .poll(async () => [...(await seeker.table.findProviders('llm', 'model=rare'))], { timeout: 40_000, interval: 500 })
    .toEqual([provider.host.peerId])
  expect(seeker.table.providers('llm', 'model=rare').size).toBe(1)

  const before = performance.now()
  expect((await seeker.table.findProviders('llm', 'model=nobody-has-this')).size).toBe(0)
  expect(performance.now() - before).toBeLessThan(15_000)
  const search = vi.spyOn(seeker.host.libp2p.contentRouting, 'findProviders')
  expect((await seeker.table.findProviders('llm', 'model=nobody-has-this')).size).toBe(0)
  expect(search).not.toHaveBeenCalled()
})
