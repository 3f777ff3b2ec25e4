import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createIdentityKeeper } from '../../../../src-main/p2p/identity/identity-keeper.js'
import { loadIdentity } from '../../../../src-main/p2p/identity/identity.js'
import { OWNER_FILE } from '../../../fixtures/file-modes.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { mountSmallDisk, whyNoSmallDisk } from '../../../fixtures/small-disk.js'

const PASSPHRASE = 'correct horse battery'
const clock = { now: () => Date.UTC(2026, 0, 31, 12, 30) }
const KEPT = 'identity.key.bak-20260131T123000Z'

const dirs: string[] = []
let log: ReturnType<typeof createRecordingLog>
beforeEach(() => (log = createRecordingLog()))
afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true })
})

async function aNode(seed = '') {
  const dataDir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
  dirs.push(dataDir)
  const identity = await loadIdentity({ dataDir, seed }, createRecordingLog())
  return { dataDir, identity, keeper: createIdentityKeeper({ identity, clock, log }, { dataDir, backupCost: 16_384 }) }
}

test('a restored identity is there after the next start, and the old key is kept', async () => {
  const [old, next] = [await aNode(), await aNode()]
  const before = await readFile(join(next.dataDir, 'identity.key'))
  const { fileName, text } = await old.keeper.backup(PASSPHRASE)
  expect(fileName).toMatch(/^ocf-identity-\w{8}-2026-01-31\.json$/)
  const peerId = old.identity.peerId.toString()
  expect(next.keeper.inspect(text)).toEqual({ peerId, madeAtMs: clock.now(), same: false })

  const done = await next.keeper.restore(text, PASSPHRASE)
  expect(done).toEqual({
    identity: { ...next.keeper.view(), peerId: next.identity.peerId.toString(), nextPeerId: peerId },
    keptAs: KEPT,
    people: 0,
  })
  expect((await readFile(join(next.dataDir, KEPT))).equals(before)).toBe(true)
  expect((await stat(join(next.dataDir, KEPT))).mode & 0o777).toBe(OWNER_FILE)
  expect((await stat(join(next.dataDir, 'identity.key'))).mode & 0o777).toBe(OWNER_FILE)
  const started = await loadIdentity({ dataDir: next.dataDir, seed: '' }, log)
  expect(started.peerId.toString()).toBe(peerId)
})

test('the people of a backup come back with its key, or without it where the key is the same', async () => {
  const { dataDir, identity } = await aNode()
  const restored: string[] = []
  const people = {
    backup: () => '{"people":["Ann"]}',
    restore: (text: string) => Promise.resolve(restored.push(text)),
  }
  const keeper = createIdentityKeeper({ identity, people, clock, log }, { dataDir, backupCost: 16_384 })
  const { text } = await keeper.backup(PASSPHRASE)
  expect(text).not.toContain('Ann')
  expect(await keeper.restore(text, PASSPHRASE)).toMatchObject({ keptAs: null, people: 1 })
  expect(restored).toEqual(['{"people":["Ann"]}'])
  await expect(keeper.restore(text, 'another one')).rejects.toMatchObject({ code: 'invalid_request' })
  expect(restored).toHaveLength(1)
  expect(await (await aNode()).keeper.restore(text, PASSPHRASE)).toMatchObject({ keptAs: KEPT, people: 0 })
})

test('the same identity again changes nothing', async () => {
  const { dataDir, keeper } = await aNode()
  const { text } = await keeper.backup(PASSPHRASE)
  expect(keeper.inspect(text).same).toBe(true)
  expect((await keeper.restore(text, PASSPHRASE)).keptAs).toBeNull()
  expect(await readdir(dataDir)).toEqual(['identity.key'])
})

test('every restore keeps the key before it, also within one second', async () => {
  const [one, two] = [await aNode(), await aNode()]
  const [mine, theirs] = [await two.keeper.backup(PASSPHRASE), await one.keeper.backup(PASSPHRASE)]
  await two.keeper.restore(theirs.text, PASSPHRASE)
  expect((await two.keeper.restore(mine.text, PASSPHRASE)).keptAs).toBe(`${KEPT}-2`)
  expect((await readdir(two.dataDir)).sort()).toEqual(['identity.key', KEPT, `${KEPT}-2`])
  expect(two.keeper.view().nextPeerId).toBeNull()
})

test('a key that was removed from the disk meanwhile is kept from memory', async () => {
  const [one, two] = [await aNode(), await aNode()]
  const before = await readFile(join(two.dataDir, 'identity.key'))
  await rm(join(two.dataDir, 'identity.key'))
  await two.keeper.restore((await one.keeper.backup(PASSPHRASE)).text, PASSPHRASE)
  expect((await readFile(join(two.dataDir, KEPT))).equals(before)).toBe(true)
})

test('a wrong passphrase and what is no backup leave the disk as it is', async () => {
  const [one, two] = [await aNode(), await aNode()]
  const { text } = await one.keeper.backup(PASSPHRASE)
  await expect(two.keeper.restore(text, 'something else')).rejects.toMatchObject({ param: 'passphrase' })
  await expect(two.keeper.restore('{}', PASSPHRASE)).rejects.toMatchObject({ param: 'text' })
  expect(await readdir(two.dataDir)).toEqual(['identity.key'])
  expect(two.keeper.view().nextPeerId).toBeNull()
})

test('nothing is replaced where the old key can’t be kept', async () => {
  const [one, two] = [await aNode(), await aNode()]
  const { text } = await one.keeper.backup(PASSPHRASE)
  await rm(join(two.dataDir, 'identity.key'))
  await mkdir(join(two.dataDir, 'identity.key'))
  await expect(two.keeper.restore(text, PASSPHRASE)).rejects.toMatchObject({ code: 'identity_unreadable' })
  expect((await stat(join(two.dataDir, 'identity.key'))).isDirectory()).toBe(true)
  expect(two.keeper.view().nextPeerId).toBeNull()
})

test('on a disk with no room for the restored key, everything stays as it was', async ({ skip }) => {
  const reason = whyNoSmallDisk()
  if (reason !== undefined) skip(reason)
  const { text } = await (await aNode()).keeper.backup(PASSPHRASE)
  const disk = mountSmallDisk(64)
  try {
    const identity = await loadIdentity({ dataDir: disk.dir, seed: '' }, createRecordingLog())
    const keeper = createIdentityKeeper({ identity, clock, log }, { dataDir: disk.dir, backupCost: 16_384 })
    const before = await readFile(join(disk.dir, 'identity.key'))
    // Room for one file: the copy of the key until now.
    disk.fill(4096)
    await expect(keeper.restore(text, PASSPHRASE)).rejects.toMatchObject({
      code: 'identity_unreadable',
      message: expect.stringMatching(/^The backup was not restored.* because the disk is full\.$/),
    })
    expect((await readFile(join(disk.dir, 'identity.key'))).equals(before)).toBe(true)
    expect((await readdir(disk.dir)).filter((name) => name.startsWith('identity'))).toEqual(['identity.key'])
    expect(keeper.view().nextPeerId).toBeNull()
  } finally {
    disk.unmount()
  }
})

test('a seeded node takes no backup', async () => {
  const [one, seeded] = [await aNode(), await aNode('7')]
  const { text } = await one.keeper.backup(PASSPHRASE)
  await expect(seeded.keeper.restore(text, PASSPHRASE)).rejects.toMatchObject({ code: 'invalid_request' })
  expect(await readdir(seeded.dataDir)).toEqual([])
})

test('one backup is made at a time', async () => {
  const { keeper } = await aNode()
  const first = keeper.backup(PASSPHRASE)
  await expect(keeper.backup(PASSPHRASE)).rejects.toMatchObject({ code: 'rate_limited' })
  await first
  await keeper.backup(PASSPHRASE)
})

test('neither passphrase nor key is logged', async () => {
  const [one, two] = [await aNode(), await aNode()]
  const { text } = await one.keeper.backup(PASSPHRASE)
  await two.keeper.restore(text, PASSPHRASE)
  const logged = JSON.stringify(log.lines)
  expect(log.lines).toHaveLength(1)
  expect(logged).not.toContain(PASSPHRASE)
  expect(logged).not.toContain((JSON.parse(text) as { data: string }).data)
})
