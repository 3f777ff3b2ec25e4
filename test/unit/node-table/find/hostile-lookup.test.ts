import type { ContentRouting } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { expect, test } from 'vitest'
import { monotonicClock } from '../../../../src-main/base/clock.js'
import { createProviderFinder } from '../../../../src-main/node-table/find/provider-finder.js'
import { createProviderRecords, type ProviderRecords } from '../../../../src-main/node-table/find/provider-records.js'
import type { Host } from '../../../../src-main/p2p/index.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { SimulatedDht } from '../../../fixtures/simulated-dht.js'
import { createOwner, createTurnableClock, recordOffering, type Owner } from '../../../fixtures/table-owners.js'
import { createTableParts } from '../../../fixtures/table-parts.js'
import { until } from '../../../fixtures/until.js'

const NODES = 2_000

const recordsOver = (routing: Partial<ContentRouting>): ProviderRecords => {
  const reach = () => ({ dht: [{ name: 'wan', mode: 'client', peers: NODES }] })
  const host = { libp2p: { contentRouting: routing }, reach } as unknown as Host
  return createProviderRecords({ host, monotonic: monotonicClock, log: createRecordingLog() })
}

/** Publishes that `owner` offers the model; resolves with the keys once all records are out. */
async function publish(owner: Owner, provide: (key: CID) => Promise<void>): Promise<CID[]> {
  const keys: CID[] = []
  let done = 0
  const records = recordsOver({
    async provide(key) {
      keys.push(key)
      await provide(key)
      done += 1
    },
  })
  records.offer(recordOffering(owner.peerId, ['rare']))
  records.tick()
  await until(() => keys.length > 0 && done === keys.length, { what: 'all records are out' })
  await records.stop()
  return keys
}

/** Whom a newcomer finds in a DHT with hostile ids, where each of these providers has published. */
async function findAmong(hostileNear: (keys: readonly CID[]) => { key: CID; ids: number }[], isOlder = false) {
  const owner = await createOwner(1)
  const keys = await publish(owner, () => Promise.resolve())
  const dht = new SimulatedDht({ nodes: NODES, seed: 7, hostileNear: hostileNear(keys) })
  // Its own identity in the DHT is another one than that of its row: what is found are names of providers.
  const provider = await dht.join('provider')
  await publish(owner, (key) => (isOlder && !key.equals(keys[0]) ? Promise.resolve() : provider.routing.provide(key)))
  const newcomer = await dht.join('newcomer')
  const clock = createTurnableClock()
  const table = createTableParts({ clock })
  const asked: string[] = []
  const finder = createProviderFinder(
    {
      view: table.view,
      records: recordsOver(newcomer.routing),
      monotonic: monotonicClock,
      asker: {
        refreshWithRow(peerId) {
          asked.push(peerId)
          // Those that are made up never answer.
          if (peerId !== provider.id.toString()) return new Promise(() => undefined)
          table.ingest(owner.row({ models: ['rare'] }), 'asked')
          return Promise.resolve({ kind: 'unsupported' })
        },
      },
    },
    { selfId: newcomer.id.toString(), reader: 'dht' },
  )
  const found = [...(await finder.find('llm', 'model=rare'))]
  await provider.stop()
  await newcomer.stop()
  return { found, asked: asked.length, expected: [owner.peerId] }
}

test('a provider is found in a DHT of two thousand nodes', async () => {
  const { found, expected } = await findAmong(() => [])
  expect(found).toEqual(expected)
})

test('eight ids nearest to the first key of a model that name made-up providers do not hide the real one', async () => {
  const { found, expected, asked } = await findAmong(([first]) => [{ key: first!, ids: 8 }])
  expect(found).toEqual(expected)
  expect(asked).toBeLessThanOrEqual(128)
})

test('eight ids nearest to every key of a model do not hide its provider', async () => {
  const { found, expected } = await findAmong((keys) => keys.map((key) => ({ key, ids: 8 })))
  expect(found).toEqual(expected)
})

test('eight ids nearest to the only key of an older provider do not hide it', async () => {
  const { found, expected } = await findAmong(([first]) => [{ key: first!, ids: 8 }], true)
  expect(found).toEqual(expected)
})

test('twenty ids nearest to the first key, which then keep all of its records, do not hide a provider', async () => {
  const { found, expected } = await findAmong(([first]) => [{ key: first!, ids: 20 }])
  expect(found).toEqual(expected)
})

test('twenty ids nearest to each key but one do not hide a provider', async () => {
  const { found, expected } = await findAmong((keys) => keys.slice(1).map((key) => ({ key, ids: 20 })))
  expect(found).toEqual(expected)
})
