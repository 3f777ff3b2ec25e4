import { createCipheriv, createDecipheriv, randomBytes, scrypt, type ScryptOptions } from 'node:crypto'
import { privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { z } from 'zod'
import { AppError } from '#shared/errors.js'

const FORMAT = 'ocf-identity-backup'
const CIPHER = 'aes-256-gcm'
/** OWASP's first choice for scrypt: 128 MiB and some tenths of a second for each guess. */
const COST = { N: 131_072, r: 8, p: 1 } as const
/** Cheaper ones are read too; dearer ones are not, so that a file can't make this node work for hours. */
const READ_COSTS = [16_384, 32_768, 65_536, COST.N] as const
const MAX_MEMORY_BYTES = 160 * 1024 * 1024
const KEY_BYTES = 32
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** An Ed25519 private key as libp2p's protobuf. */
const SECRET_BYTES = 68

/** A backup's file. */
const BackupSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(1),
  peerId: z.string().regex(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/),
  /** Unix milliseconds. */
  madeAtMs: z.number().int().min(0).max(8.64e15),
  kdf: z.strictObject({
    name: z.literal('scrypt'),
    N: z.literal(READ_COSTS),
    r: z.literal(COST.r),
    p: z.literal(COST.p),
    salt: base64Of(SALT_BYTES),
  }),
  cipher: z.strictObject({ name: z.literal(CIPHER), nonce: base64Of(NONCE_BYTES) }),
  /** The key, encrypted, and GCM's tag. */
  data: base64Of(SECRET_BYTES + TAG_BYTES),
})

/** A backup as it was read; whether it holds what it says is known once it is opened. */
export type Backup = z.output<typeof BackupSchema>

/** What a guess of the passphrase costs: scrypt's N. */
export type BackupCost = (typeof READ_COSTS)[number]

/** The text of a backup of this Ed25519 key, locked with `passphrase`. Tests choose a lower `cost`. */
export async function lockIdentity(
  privateKey: PrivateKey,
  options: { passphrase: string; madeAtMs: number; cost?: BackupCost | undefined },
): Promise<string> {
  const kdf = { name: 'scrypt', ...COST, N: options.cost ?? COST.N } as const
  const salt = randomBytes(SALT_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const head = { peerId: peerIdFromPrivateKey(privateKey).toString(), madeAtMs: options.madeAtMs }
  const cipher = createCipheriv(CIPHER, await keyOf(options.passphrase, salt, kdf.N), nonce)
  cipher.setAAD(boundText(head))
  const data = Buffer.concat([cipher.update(privateKeyToProtobuf(privateKey)), cipher.final(), cipher.getAuthTag()])
  const backup: Backup = {
    ...{ format: FORMAT, version: 1, ...head },
    kdf: { ...kdf, salt: salt.toString('base64') },
    cipher: { name: CIPHER, nonce: nonce.toString('base64') },
    data: data.toString('base64'),
  }
  return `${JSON.stringify(backup, undefined, 2)}\n`
}

/** A backup's text as far as it can be read without the passphrase. @throws AppError `invalid_request` */
export function readBackup(text: string): Backup {
  const parsed = BackupSchema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new AppError(
    'invalid_request',
    'This file is no backup of an identity, or of a newer version. Choose the file that “Save a backup” wrote.',
    { param: 'text' },
  )
}

/** The key in a backup. @throws AppError `invalid_request` for a wrong passphrase or a file that was changed */
export async function unlockIdentity(backup: Backup, passphrase: string): Promise<PrivateKey> {
  const sealed = Buffer.from(backup.data, 'base64')
  const key = await keyOf(passphrase, Buffer.from(backup.kdf.salt, 'base64'), backup.kdf.N)
  const decipher = createDecipheriv(CIPHER, key, Buffer.from(backup.cipher.nonce, 'base64'))
  decipher.setAAD(boundText(backup))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  let privateKey: PrivateKey
  try {
    const opened = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()])
    privateKey = privateKeyFromProtobuf(opened)
  } catch (error) {
    throw new AppError('invalid_request', 'The passphrase is not the one of this backup, or the file was changed.', {
      param: 'passphrase',
      cause: error,
    })
  }
  if (privateKey.type === 'Ed25519' && peerIdFromPrivateKey(privateKey).toString() === backup.peerId) return privateKey
  throw new AppError('invalid_request', 'The key in this backup is not the one it says. Choose another backup.', {
    param: 'text',
  })
}

/** What stands in the clear and must not be changed. */
function boundText({ peerId, madeAtMs }: Pick<Backup, 'peerId' | 'madeAtMs'>): Buffer {
  return Buffer.from(`${FORMAT}|1|${peerId}|${madeAtMs}`)
}

/** The same letters typed on another system are the same passphrase. */
function keyOf(passphrase: string, salt: Buffer, cost: BackupCost): Promise<Buffer> {
  const options: ScryptOptions = { ...COST, N: cost, maxmem: MAX_MEMORY_BYTES }
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES, options, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

/** Canonical base64 of so many bytes. */
function base64Of(bytes: number) {
  return z
    .string()
    .max(Math.ceil(bytes / 3) * 4)
    .refine((text) => {
      const decoded = Buffer.from(text, 'base64')
      return decoded.length === bytes && decoded.toString('base64') === text
    })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
