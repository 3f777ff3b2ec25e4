import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  lockIdentity,
  readBackup,
  unlockAttached,
  unlockIdentity,
} from '../../../../src-main/p2p/identity/identity-backup.js'

const PASSPHRASE = 'correct horse battery'
let key: PrivateKey
let text: string
let otherPeerId: string
beforeAll(async () => {
  key = await generateKeyPair('Ed25519')
  otherPeerId = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
  text = await lockIdentity(key, { passphrase: PASSPHRASE, madeAtMs: 1_700_000_000_000, cost: 16_384 })
})

const changed = (change: (backup: Record<string, unknown>) => void): string => {
  const backup = JSON.parse(text) as Record<string, unknown>
  change(backup)
  return JSON.stringify(backup)
}

test('a key comes back from its backup with the same passphrase, whatever that is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }), async (passphrase) => {
      const locked = await lockIdentity(key, { passphrase, madeAtMs: 1, cost: 16_384 })
      expect((await unlockIdentity(readBackup(locked), passphrase)).equals(key)).toBe(true)
    }),
    // Each run costs what two guesses cost.
    { numRuns: 8 },
  )
})

test('a passphrase is the same however its letters are put together', async () => {
  const locked = await lockIdentity(key, { passphrase: 'caf\u00e9 no\u00ebl', madeAtMs: 1, cost: 16_384 })
  expect((await unlockIdentity(readBackup(locked), 'cafe\u0301 noe\u0308l')).equals(key)).toBe(true)
})

test('a backup says whose it is, and never the key', () => {
  expect(readBackup(text)).toMatchObject({
    peerId: peerIdFromPrivateKey(key).toString(),
    madeAtMs: 1_700_000_000_000,
  })
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    expect(text).not.toContain(Buffer.from(key.raw).subarray(0, 32).toString(encoding).slice(0, 40))
  }
})

test('a backup is as dear to guess as OWASP asks for', async () => {
  const locked = readBackup(await lockIdentity(key, { passphrase: PASSPHRASE, madeAtMs: 1 }))
  expect(locked.kdf).toMatchObject({ N: 131_072, r: 8, p: 1 })
  expect((await unlockIdentity(locked, PASSPHRASE)).equals(key)).toBe(true)
})

test('two backups of one key have nothing secret in common', async () => {
  const other = readBackup(
    await lockIdentity(key, { passphrase: PASSPHRASE, madeAtMs: 1_700_000_000_000, cost: 16_384 }),
  )
  const first = readBackup(text)
  expect(other.data).not.toBe(first.data)
  expect(other.kdf.salt).not.toBe(first.kdf.salt)
  expect(other.cipher.nonce).not.toBe(first.cipher.nonce)
})

test('what is attached to a backup is locked with it, and can not be put beside another key', async () => {
  const lock = (attached?: string): Promise<string> =>
    lockIdentity(key, { passphrase: PASSPHRASE, madeAtMs: 1, cost: 16_384, attached })
  const locked = await lock('the people I trust')
  expect(locked).not.toContain('people')
  const backup = readBackup(locked)
  expect(backup.version).toBe(2)
  expect((await unlockIdentity(backup, PASSPHRASE)).equals(key)).toBe(true)
  expect(await unlockAttached(backup, PASSPHRASE)).toBe('the people I trust')
  await expect(unlockAttached(backup, 'another')).rejects.toMatchObject({ code: 'invalid_request' })
  await expect(unlockAttached({ ...backup, madeAtMs: 2 }, PASSPHRASE)).rejects.toMatchObject({
    code: 'invalid_request',
  })
  const sealedKey = { nonce: backup.cipher.nonce, data: backup.data }
  await expect(unlockAttached({ ...backup, attached: sealedKey }, PASSPHRASE)).rejects.toMatchObject({
    code: 'invalid_request',
  })
  expect(readBackup(await lock()).version).toBe(1)
  expect(await unlockAttached(readBackup(await lock()), PASSPHRASE)).toBeUndefined()
})

test('a wrong passphrase is told as such', async () => {
  await expect(unlockIdentity(readBackup(text), `${PASSPHRASE} `)).rejects.toMatchObject({
    code: 'invalid_request',
    param: 'passphrase',
  })
})

test.each([
  ['another time', () => ({ madeAtMs: 5 })],
  ['another peer id', () => ({ peerId: otherPeerId })],
  [
    'another byte of the key',
    (data: Buffer) => ({
      data: Buffer.concat([Buffer.from([(data[0] ?? 0) ^ 1]), data.subarray(1)]).toString('base64'),
    }),
  ],
])('a backup with %s is not opened', async (_what, change) => {
  const backup = JSON.parse(text) as { data: string }
  const read = readBackup(JSON.stringify({ ...backup, ...change(Buffer.from(backup.data, 'base64')) }))
  await expect(unlockIdentity(read, PASSPHRASE)).rejects.toMatchObject({ code: 'invalid_request' })
})

describe('what is no backup is refused before anything is computed', () => {
  const refuses = (hostile: string): void => {
    expect(() => readBackup(hostile), hostile.slice(0, 60)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
  }

  test.each([
    ['a cost of its own', (b: Record<string, unknown>) => (b['kdf'] = { ...(b['kdf'] as object), N: 2 ** 30 })],
    ['another version', (b: Record<string, unknown>) => (b['version'] = 2)],
    ['a field more', (b: Record<string, unknown>) => (b['more'] = 1)],
    ['a field less', (b: Record<string, unknown>) => delete b['cipher']],
    ['a longer key', (b: Record<string, unknown>) => (b['data'] = Buffer.alloc(200).toString('base64'))],
    ['base64 with blanks', (b: Record<string, unknown>) => (b['data'] = `${String(b['data'])} `)],
    ['a peer id of another kind', (b: Record<string, unknown>) => (b['peerId'] = 'QmSomething')],
  ])('%s', (_what, change) => refuses(changed(change)))

  test('any text, any JSON, any backup that was cut', () => {
    fc.assert(fc.property(fc.string(), refuses))
    fc.assert(fc.property(fc.json(), refuses))
    fc.assert(fc.property(fc.nat({ max: text.length - 3 }), (end) => refuses(text.slice(0, end))))
    refuses('{"__proto__": {"format": "ocf-identity-backup"}}')
  })
})
