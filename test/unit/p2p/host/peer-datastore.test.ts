import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openPeerDatastore } from '../../../../src-main/p2p/host/peer-datastore.js'
import { silentLog } from '../../../fixtures/hosts.js'

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

test('the peer store writes out what it holds in memory, half a megabyte at a time', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
  ends.push(() => rm(dir, { recursive: true, force: true }))
  const datastore = await openPeerDatastore(dir, silentLog)
  ends.push(() => datastore.close())
  for (let index = 0; index < 96; index += 1) await datastore.db.put(`/peers/${index}`, randomBytes(32 * 1024))
  // One that is filled and one that is being written out.
  expect(await bytesHeld(dir)).toBeLessThan(1.5 * 1024 * 1024)
})

test('at the start, records larger than one may be, too many peers and what others once published are dropped', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
  ends.push(() => rm(dir, { recursive: true, force: true }))
  const before = await openPeerDatastore(dir, silentLog)
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

  const datastore = await openPeerDatastore(dir, silentLog)
  ends.push(() => datastore.close())
  const { db } = datastore
  const keys = await db.keys().all()
  expect(keys).not.toContain('/peers/large')
  expect(keys.filter((key) => key.startsWith('/peers/'))).toHaveLength(4096)
  expect(keys.filter((key) => !key.startsWith('/peers/'))).toEqual(['/other'])
})
