import { beforeEach, expect, test } from 'vitest'
import { createProviderRecords, type ProviderRecords } from '../../../../src-main/node-table/find/provider-records.js'
import type { ReadonlyProviderSet } from '../../../../src-main/node-table/view/provider-set.js'
import type { Host } from '../../../../src-main/p2p/index.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { createTurnableClock, recordOffering, type TurnableClock } from '../../../fixtures/table-owners.js'

const HOUR_MS = 3_600_000

let clock: TurnableClock
let dht: { name: 'wan' | 'lan'; mode: 'client'; peers: number }[]
let published: string[]
let fails: boolean
let providers: number
let isPartial: boolean
let records: ProviderRecords

beforeEach(() => {
  clock = createTurnableClock()
  published = []
  fails = false
  providers = 1
  isPartial = false
  dht = [
    { name: 'wan', mode: 'client', peers: 0 },
    { name: 'lan', mode: 'client', peers: 20 },
  ]
  const contentRouting = {
    provide: (key: unknown) => {
      published.push(String(key))
      return fails ? Promise.reject(new Error('nobody answered')) : Promise.resolve()
    },
    cancelReprovide: () => Promise.resolve(),
  }
  const host = { libp2p: { contentRouting }, reach: () => ({ dht }) } as unknown as Host
  records = createProviderRecords({
    ...{ host, monotonic: clock, log: createRecordingLog(), random: () => 0.5 },
    offers: { providers: () => ({ size: providers }) as ReadonlyProviderSet },
    isPartial: () => isPartial,
  })
})

/** Ticks once a minute for as long, and says how many records went out. */
async function after(ms: number): Promise<number> {
  const before = published.length
  for (let passed = 0; passed <= ms; passed += 60_000) {
    records.tick()
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
    clock.turn(60_000)
  }
  return published.length - before
}

/** Keys of an entry. */
const KEYS = 4

test('a record goes out once in twelve hours, though another DHT has no peers', async () => {
  records.offer(recordOffering('me', ['one', 'two']))
  expect(await after(11 * HOUR_MS)).toBe(2 * KEYS)
  expect(await after(HOUR_MS)).toBe(2 * KEYS)
  expect(new Set(published).size).toBe(2 * KEYS)
})

test('nothing is published where nobody is there, and everything as soon as somebody is', async () => {
  dht[1]!.peers = 0
  records.offer(recordOffering('me', ['one']))
  expect(await after(HOUR_MS)).toBe(0)
  dht[0]!.peers = 1
  expect(await after(0)).toBe(KEYS)
})

test('a record published to few goes out again when the DHT has doubled, until it has enough', async () => {
  records.offer(recordOffering('me', ['one']))
  const counts: number[] = []
  for (const peers of [2, 3, 4, 7, 8, 30, 60, 600]) {
    dht[1]!.peers = peers
    counts.push(await after(10 * 60_000))
  }
  expect(counts.map((count) => count / KEYS)).toEqual([1, 0, 1, 0, 1, 1, 0, 0])
})

test('a DHT that gets its first peers later is told then', async () => {
  records.offer(recordOffering('me', ['one']))
  expect(await after(HOUR_MS)).toBe(KEYS)
  dht[0]!.peers = 3
  expect(await after(HOUR_MS)).toBe(KEYS)
})

test('what fails is tried again, ever more rarely', async () => {
  fails = true
  records.offer(recordOffering('me', ['one']))
  const anHour = await after(HOUR_MS)
  expect(anHour).toBeGreaterThan(2 * KEYS)
  expect(anHour).toBeLessThan(8 * KEYS)
  fails = false
  expect(await after(2 * HOUR_MS)).toBe(KEYS)
  expect(await after(2 * HOUR_MS)).toBe(0)
})

test('an entry that is no longer offered is not published any more', async () => {
  records.offer(recordOffering('me', ['one', 'two']))
  records.offer(recordOffering('me', ['two']))
  expect(await after(0)).toBe(KEYS)
})

test('a node of many models publishes as many records as others keep of one peer, and each model at its first key', async () => {
  const models = Array.from({ length: 256 }, (_, index) => `m${index}`)
  for (const model of models) {
    records.offer(recordOffering('me', [model]))
    await after(0)
  }
  const firstKeys = published.filter((_, index) => index % KEYS === 0)
  published = []
  records.offer(undefined)
  records.offer(recordOffering('me', models))
  records.tick()
  await expect.poll(() => published).toHaveLength(512)
  expect(published.slice(0, 256)).toEqual(firstKeys)
})

test('where the table is partial, one of many providers leaves an entry to the others', async () => {
  isPartial = true
  providers = 100
  records.offer(recordOffering('me', ['popular']))
  expect(await after(HOUR_MS)).toBe(0)
  providers = 10
  expect(await after(HOUR_MS)).toBe(4)
})
