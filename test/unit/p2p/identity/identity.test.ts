import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadIdentity } from '../../../../src-main/p2p/identity/identity.js'
import { OWNER_FILE } from '../../../fixtures/file-modes.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

let dataDir: string
let file: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ocf-test-'))
  file = join(dataDir, 'identity.key')
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

const load = (seed = '', log = createRecordingLog()) => loadIdentity({ dataDir, seed }, log)

test('the identity is made once, for its owner alone, and found again', async () => {
  const first = await load()
  expect((await stat(file)).mode & 0o777).toBe(OWNER_FILE)
  expect(await readdir(dataDir)).toEqual(['identity.key'])
  const second = await load()
  expect(second.peerId.toString()).toBe(first.peerId.toString())
  expect(second).toMatchObject({ seeded: false })
})

test('a key file that others may read is made private, with a warning', async () => {
  await load()
  await chmod(file, 0o644)
  const log = createRecordingLog()
  await load('', log)
  expect((await stat(file)).mode & 0o777).toBe(OWNER_FILE)
  expect(log.lines.map(({ level }) => level)).toEqual(['warn'])
})

test.each([
  ['empty', () => Buffer.alloc(0)],
  ['text', () => Buffer.from('not a key')],
  ['cut short', (good: Buffer) => good.subarray(0, good.length - 1)],
  ['far too big', () => Buffer.alloc(5000, 1)],
])('a key file that is %s is an error that names it, and stays as it is', async (_what, broken) => {
  await load()
  const content = broken(await readFile(file))
  await writeFile(file, content)
  await expect(load()).rejects.toMatchObject({
    code: 'identity_unreadable',
    message: expect.stringContaining(file),
  })
  expect((await readFile(file)).equals(content)).toBe(true)
})

test('a key of another kind is refused', async () => {
  await writeFile(file, privateKeyToProtobuf(await generateKeyPair('secp256k1')))
  await expect(load()).rejects.toMatchObject({
    code: 'identity_unreadable',
    message: expect.stringContaining('secp256k1'),
  })
})

test('a folder in the place of the key file is an error', async () => {
  await rm(dataDir, { recursive: true })
  await writeFile(dataDir, '')
  await expect(load()).rejects.toMatchObject({ code: 'identity_unreadable' })
})

test('a seed gives the same identity everywhere, says so and leaves the disk alone', async () => {
  const log = createRecordingLog()
  const seeded = await load('7', log)
  expect(seeded.seeded).toBe(true)
  // Changing how a seed becomes a key would give every seeded node another peer id.
  expect(seeded.peerId.toString()).toMatchInlineSnapshot(`"12D3KooWPJ59J9jWLTxc6GX4t2D5sDXXkRZX631JaGxVDiVrMHcc"`)
  expect((await load('8')).peerId.toString()).not.toBe(seeded.peerId.toString())
  expect(await readdir(dataDir)).toEqual([])
  expect(log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('setting seed') }])
  expect(log.lines[0]?.fields).toEqual({})
})

test('a seed does not touch the identity that is there', async () => {
  const own = await load()
  await load('7')
  expect((await load()).peerId.toString()).toBe(own.peerId.toString())
})
