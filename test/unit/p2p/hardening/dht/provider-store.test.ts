import type { KadDHTComponents } from '@libp2p/kad-dht'
import { expect, test } from 'vitest'
import { ProviderStore, type ProviderStoreLimits } from '../../../../../src-main/p2p/hardening/dht/provider-store.js'

type Datastore = KadDHTComponents['datastore']
type Key = Parameters<Datastore['get']>[0]

const keyOf = (text: string) => ({ list: () => text.split('/').slice(1), toString: () => text }) as unknown as Key
const recordKey = (cid: string, peer: string) => keyOf(`/dht-wan/provider/${cid}/${peer}`)
const VALUE = new Uint8Array(6)
const LIMITS: ProviderStoreLimits = { ofPeer: 4, ofSource: 6, ofKey: 5, total: 12, answered: 3 }

/** Peers are named after the address they come from: `192.0.2.1 a`. */
function start(options: { forgotten?: string[] } = {}) {
  const store = new ProviderStore(
    {
      addressOf: (peer) => `/ip4/${peer.split(' ')[0]}/tcp/1`,
      isKnown: (peer) => Promise.resolve(options.forgotten?.includes(peer) !== true),
    },
    'self',
    LIMITS,
  )
  const disk = {
    put: () => {
      throw new Error('the disk was written')
    },
  } as unknown as Datastore
  const datastore = store.over(disk)
  const names = async (prefix: string): Promise<string[]> => {
    const found: string[] = []
    for await (const { key } of datastore.query({ prefix }))
      found.push(key.toString().slice('/dht-wan/provider/'.length))
    return found
  }
  return {
    put: (cid: string, peer: string) => datastore.put(recordKey(cid, peer), VALUE),
    all: () => names('/dht-wan/provider'),
    providers: (cid: string) => names(`/dht-wan/provider/${cid}`),
    datastore,
  }
}

test('one peer keeps only its latest provider records', async () => {
  const { put, all } = start()
  for (let index = 0; index < 6; index += 1) await put(`key${index}`, '192.0.2.1 a')
  expect(await all()).toEqual(['key2', 'key3', 'key4', 'key5'].map((key) => `${key}/192.0.2.1 a`))
})

test('many identities of one address displace each other, and not an honest record', async () => {
  const { put, all } = start()
  await put('model', '198.51.100.7 honest')
  for (let index = 0; index < 100; index += 1) await put(`key${index}`, `192.0.2.1 id${index}`)
  expect(await all()).toHaveLength(1 + LIMITS.ofSource)
  expect(await all()).toContain('model/198.51.100.7 honest')
})

test('a full store evicts from the address that has most', async () => {
  const { put, all } = start()
  for (let index = 0; index < 6; index += 1) await put(`key${index}`, `192.0.2.1 id${index}`)
  for (let index = 0; index < 12; index += 1) await put('model', `198.51.100.${index} p`)
  for (let index = 0; index < 7; index += 1) await put(`other${index}`, `203.0.113.${index} p`)
  const records = await all()
  expect(records).toHaveLength(LIMITS.total)
  expect(records.filter((name) => name.includes('203.0.113.'))).toHaveLength(7)
})

test('under one key, an address that claims it with many identities displaces only its own', async () => {
  const { put, all } = start()
  await put('model', '198.51.100.7 honest')
  for (let index = 0; index < 20; index += 1) await put('model', `192.0.2.1 id${index}`)
  expect(await all()).toHaveLength(LIMITS.ofKey)
  expect(await all()).toContain('model/198.51.100.7 honest')
})

test('an answer holds some providers of a key, not always the same ones', async () => {
  const { put, providers } = start()
  for (let index = 0; index < 5; index += 1) await put('model', `198.51.100.${index} p`)
  const seen = new Set<string>()
  for (let round = 0; round < 100; round += 1) {
    const answer = await providers('model')
    expect(answer).toHaveLength(LIMITS.answered)
    for (const name of answer) seen.add(name)
  }
  expect(seen.size).toBe(5)
})

test('a provider that the peer store has forgotten is left out of the answer', async () => {
  const { put, providers } = start({ forgotten: ['198.51.100.1 p'] })
  await put('model', '198.51.100.1 p')
  await put('model', '198.51.100.2 p')
  expect(await providers('model')).toEqual(['model/198.51.100.2 p'])
})

test('the records that a node publishes itself are never evicted from its own store', async () => {
  const { put, all } = start()
  for (let index = 0; index < 8; index += 1) await put(`own${index}`, 'self')
  for (let index = 0; index < 20; index += 1) await put(`key${index}`, `198.51.100.${index} p`)
  expect((await all()).filter((name) => name.endsWith('/self'))).toHaveLength(8)
})

test('other records of the DHT are kept in memory too, and can be read and deleted', async () => {
  const { datastore } = start()
  const key = keyOf('/dht-wan/record/x')
  await datastore.put(key, VALUE)
  expect(await datastore.get(key)).toBe(VALUE)
  expect(await datastore.has(key)).toBe(true)
  await datastore.delete(key)
  expect(() => datastore.get(key)).toThrow(expect.objectContaining({ name: 'NotFoundError' }) as Error)
})
