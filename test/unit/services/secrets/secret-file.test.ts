import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createSecretFile, type Vault } from '../../../../src-main/services/secrets/index.js'
import { OWNER_FILE } from '../../../fixtures/file-modes.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { mountSmallDisk, whyNoSmallDisk } from '../../../fixtures/small-disk.js'

let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocf-secrets-'))
  file = join(dir, 'secrets.json')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const NAME = 'server-key:127.0.0.1:1234'
const KEY = 'sk-a-key-of-a-test'
const text = (): string => readFileSync(file, 'utf8')

/** A key store with a key of its own; another account has another. */
function vaultOf(key: number, options: { whyNot?: string; isStale?: boolean } = {}): Vault {
  const mix = (from: Buffer): Buffer => Buffer.from(from.map((byte) => byte ^ key))
  return {
    whyNot: () => Promise.resolve(options.whyNot),
    seal: (plain) => Promise.resolve(Buffer.concat([Buffer.from([key]), mix(Buffer.from(plain))])),
    open(sealed) {
      if (sealed[0] !== key) return Promise.reject(new Error('sealed by another'))
      return Promise.resolve({ text: mix(sealed.subarray(1)).toString(), isStale: options.isStale ?? false })
    },
  }
}

function open(vault?: Vault) {
  const log = createRecordingLog()
  const onPlain = vi.fn()
  return { log, onPlain, secrets: createSecretFile({ log, vault, onPlain }, { file }) }
}

describe('with a key store', () => {
  test('a secret is sealed in a file of its owner alone and comes back after a restart', async () => {
    const { secrets, onPlain } = open(vaultOf(7))
    await secrets.set(NAME, KEY)
    expect(text()).not.toContain(KEY)
    expect(statSync(file).mode & 0o777).toBe(OWNER_FILE)
    expect(await open(vaultOf(7)).secrets.get(NAME)).toBe(KEY)
    expect(onPlain).not.toHaveBeenCalled()
  })

  test('what lay there as it is gets sealed at the first use', async () => {
    await open().secrets.set(NAME, KEY)
    await open().secrets.set('other', 'another key')
    expect(text()).toContain(KEY)
    const { secrets, log } = open(vaultOf(7))
    expect(await secrets.get(NAME)).toBe(KEY)
    expect(text()).not.toMatch(/sk-a-key|another key/)
    expect(await secrets.get('other')).toBe('another key')
    expect(log.lines.filter(({ message }) => message.includes('now sealed')).length).toBe(1)
  })

  test('one that can’t be opened says so and stays as it is, and a new one takes its place', async () => {
    await open(vaultOf(7)).secrets.set(NAME, KEY)
    const before = text()
    const { secrets } = open(vaultOf(9))
    await expect(secrets.get(NAME)).rejects.toMatchObject({ code: 'secret_unreadable' })
    await expect(secrets.get(NAME)).rejects.toThrow(/type the key in again/)
    expect(text()).toBe(before)
    expect(await open(vaultOf(7)).secrets.get(NAME)).toBe(KEY)
    await secrets.set(NAME, 'the new key')
    expect(await secrets.get(NAME)).toBe('the new key')
  })

  test('a key store that is not there is told once, and the file is as without one', async () => {
    const { secrets, onPlain, log } = open(vaultOf(7, { whyNot: 'this desktop has no password store' }))
    await secrets.set(NAME, KEY)
    await secrets.set('other', 'another key')
    expect(await secrets.get(NAME)).toBe(KEY)
    expect(statSync(file).mode & 0o777).toBe(OWNER_FILE)
    expect(onPlain).toHaveBeenCalledExactlyOnceWith('this desktop has no password store')
    expect(log.lines.filter(({ level }) => level === 'warn').length).toBe(1)
  })

  test('one whose seal does not open again is not trusted with the only copy', async () => {
    await open().secrets.set(NAME, KEY)
    const before = text()
    const liar: Vault = { ...vaultOf(7), open: () => Promise.resolve({ text: 'something else', isStale: false }) }
    const { secrets, onPlain } = open(liar)
    expect(await secrets.get(NAME)).toBe(KEY)
    expect(text()).toBe(before)
    expect(onPlain).toHaveBeenCalledOnce()
  })

  test('after the store’s key has changed, a secret is sealed anew', async () => {
    await open(vaultOf(7)).secrets.set(NAME, KEY)
    const vault = vaultOf(7, { isStale: true })
    const seal = vi.spyOn(vault, 'seal')
    expect(await open(vault).secrets.get(NAME)).toBe(KEY)
    expect(seal).toHaveBeenCalledExactlyOnceWith(KEY)
  })
})

test('a program without a key store can’t open what the desktop app has sealed, and says what to do', async () => {
  await open(vaultOf(7)).secrets.set(NAME, KEY)
  const before = text()
  const { secrets } = open()
  await expect(secrets.get(NAME)).rejects.toThrow(/sealed by the desktop app/)
  await secrets.set('other', 'plain')
  expect(JSON.parse(text())).toMatchObject(JSON.parse(before) as object)
  await secrets.remove(NAME)
  expect(await secrets.get(NAME)).toBeUndefined()
})

test('a file that can’t be understood is put aside, not written over', async () => {
  writeFileSync(file, '{"server-key:127.0.0.1:1234": 42}')
  const { secrets } = open()
  expect(await secrets.get(NAME)).toBeUndefined()
  expect(readdirSync(dir)).toEqual(['secrets.json'])
  await secrets.set('other', 'new')
  expect(readFileSync(`${file}.damaged`, 'utf8')).toBe('{"server-key:127.0.0.1:1234": 42}')
  expect(await secrets.get('other')).toBe('new')
})

test('secrets are never logged', async () => {
  const failing: Vault = { ...vaultOf(7), seal: () => Promise.reject(new Error('locked')) }
  const { secrets, log } = open(failing)
  await secrets.set(NAME, KEY)
  await secrets.get(NAME)
  expect(log.lines.length).toBeGreaterThan(0)
  expect(JSON.stringify(log.lines)).not.toContain(KEY)
})

test('on a full disk, a key that could not be sealed anew is read all the same, and sealed later', async ({ skip }) => {
  const reason = whyNoSmallDisk()
  if (reason !== undefined) skip(reason)
  const disk = mountSmallDisk(64)
  try {
    file = join(disk.dir, 'secrets.json')
    await open().secrets.set(NAME, KEY)
    disk.fill()
    const { secrets } = open(vaultOf(7))
    expect(await secrets.get(NAME)).toBe(KEY)
    expect(text()).toContain(KEY)
    await expect(secrets.set(NAME, 'another')).rejects.toThrow('ENOSPC')
    expect(text()).toContain(KEY)
    disk.free()
    expect(await secrets.get(NAME)).toBe(KEY)
    expect(text()).not.toContain(KEY)
  } finally {
    disk.unmount()
  }
})
