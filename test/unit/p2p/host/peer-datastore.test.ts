import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LevelDatastore } from 'datastore-level'
import { Key } from 'interface-datastore'
import { afterEach, expect, test } from 'vitest'
import { openPeerDatastore } from '../../../../src-main/p2p/host/peer-datastore.js'
import { silentLog } from '../../../fixtures/hosts.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Bytes of the log: what the store also holds in memory until it is written out in order. */
async function bytesHeld(dir: string): Promise<number> {
  const logs = (await readdir(dir)).filter((name) => name.endsWith('.log'))
  // A log may be written out and removed between the two looks.
  const sizeOf = (name: string): Promise<number> =>
    stat(join(dir, name)).then(
      ({ size }) => size,
      () => 0,
    )
  const sizes = await Promise.all(logs.map(sizeOf))
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function keysOnDisk(dir: string): Promise<string[]> {
  const level = new LevelDatastore(dir)
  await level.open()
  const keys = await level.db.keys().all()
  await level.close()
  return keys
}

async function emptyFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
  ends.push(() => rm(dir, { recursive: true, force: true }))
  return dir
}

test('what was put is read back at once, found by a query, and there after the next start', async () => {
  const dir = await emptyFolder()
  const datastore = await openPeerDatastore(dir, silentLog)
  const [one, two] = [new Key('/peers/one'), new Key('/peers/two')]
  await datastore.put(one, Uint8Array.of(1))
  await datastore.put(two, Uint8Array.of(2))
  await datastore.put(one, Uint8Array.of(3))
  expect(await datastore.get(one)).toEqual(Uint8Array.of(3))
  const found: string[] = []
  for await (const { key } of datastore.query({ prefix: '/peers' })) found.push(key.toString())
  expect(found).toEqual(['/peers/one', '/peers/two'])
  await datastore.delete(two)
  await datastore.close()
  const again = await openPeerDatastore(dir, silentLog)
  ends.push(() => again.close())
  expect([...(await again.get(one))]).toEqual([3])
  expect(await again.has(two)).toBe(false)
})

test('what was deleted is not found, before it is gone from the disk and after', async () => {
  const datastore = await openPeerDatastore(await emptyFolder(), silentLog)
  ends.push(() => datastore.close())
  const key = new Key('/peers/one')
  await datastore.put(key, Uint8Array.of(1))
  for await (const _ of datastore.queryKeys({ prefix: '/peers' }));
  await datastore.delete(key)
  expect(await datastore.has(key)).toBe(false)
  await expect(async () => await datastore.get(key)).rejects.toThrow(expect.objectContaining({ name: 'NotFoundError' }))
  await expect(async () => await datastore.get(key)).rejects.toThrow(expect.objectContaining({ name: 'NotFoundError' }))
})

test('more records than may be in memory are all read back', async () => {
  const datastore = await openPeerDatastore(await emptyFolder(), silentLog)
  ends.push(() => datastore.close())
  const keys = Array.from({ length: 300 }, (_, index) => new Key(`/peers/${index}`))
  for (const [index, key] of keys.entries()) await datastore.put(key, new Uint8Array(30_000).fill(index))
  for (const [index, key] of keys.entries()) expect((await datastore.get(key))[0]).toBe(index % 256)
})

test('a database that can no longer be written to loses what is new, and says so', async () => {
  const dir = await emptyFolder()
  const log = createRecordingLog()
  const datastore = await openPeerDatastore(dir, log)
  await datastore.put(new Key('/peers/one'), Uint8Array.of(1))
  await datastore.close()
  await datastore.put(new Key('/peers/two'), Uint8Array.of(2))
  await datastore.close()
  expect(log.lines.map(({ message }) => message)).toContain('what was learnt about peers cannot be stored')
})

test('the peer store writes out what it holds in memory, half a megabyte at a time', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
  ends.push(() => rm(dir, { recursive: true, force: true }))
  const datastore = await openPeerDatastore(dir, silentLog)
  ends.push(() => datastore.close())
  for (let index = 0; index < 96; index += 1) await datastore.put(new Key(`/peers/${index}`), randomBytes(32 * 1024))
  // One that is filled and one that is being written out.
  expect(await bytesHeld(dir)).toBeLessThan(1.5 * 1024 * 1024)
})

test('at the start, records larger than one may be, too many peers and what others once published are dropped', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
  ends.push(() => rm(dir, { recursive: true, force: true }))
  const before = new LevelDatastore(dir)
  await before.open()
  await before.db.put('/peers/large', new Uint8Array(500_000))
  await before.db.batch(
    Array.from({ length: 5000 }, (_, index) => ({
      type: 'put',
      key: `/peers/peer${index}`,
      value: new Uint8Array(100),
    })),
  )
  for (const dht of ['wan', 'lan']) await before.db.put(`/dht-${dht}/provider/key/peer`, new Uint8Array(6))
  await before.db.put('/other', new Uint8Array(1))
  await before.close()

  await (await openPeerDatastore(dir, silentLog)).close()
  const keys = await keysOnDisk(dir)
  expect(keys).not.toContain('/peers/large')
  expect(keys.filter((key) => key.startsWith('/peers/'))).toHaveLength(4096)
  expect(keys.filter((key) => !key.startsWith('/peers/'))).toEqual(['/other'])
})
