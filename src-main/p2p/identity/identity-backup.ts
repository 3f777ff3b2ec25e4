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

/** Of what is attached, encrypted and in base64. */
const MAX_ATTACHED_CHARS = 900 * 1024

/** A backup's file. Version 2 has something attached, which programs that know only 1 would leave out unseen. */
const BackupSchema = z
  .strictObject({
    format: z.literal(FORMAT),
    version: z.literal([1, 2]),
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
    attached: z.strictObject({ nonce: base64Of(NONCE_BYTES), data: z.base64().max(MAX_ATTACHED_CHARS) }).optional(),
  })
  .refine(({ version, attached }) => (version === 2) === (attached !== undefined))

/** A backup as it was read; whether it holds what it says is known once it is opened. */
export type Backup = z.output<typeof BackupSchema>

/** What a guess of the passphrase costs: scrypt's N. */
export type BackupCost = (typeof READ_COSTS)[number]

/**
 * The text of a backup of this Ed25519 key, locked with `passphrase`, and with it a text to keep beside the key. Tests
 * choose a lower `cost`.
 */
export async function lockIdentity(
  privateKey: PrivateKey,
  options: { passphrase: string; madeAtMs: number; cost?: BackupCost | undefined; attached?: string | undefined },
): Promise<string> {
  const kdf = { name: 'scrypt', ...COST, N: options.cost ?? COST.N } as const
  const salt = randomBytes(SALT_BYTES)
  const head = { peerId: peerIdFromPrivateKey(privateKey).toString(), madeAtMs: options.madeAtMs }
  const key = await keyOf(options.passphrase, salt, kdf.N)
  const { nonce, data } = seal(Buffer.from(privateKeyToProtobuf(privateKey)), key, boundText(head))
  const { attached } = options
  const backup: Backup = {
    ...{ format: FORMAT, version: attached === undefined ? 1 : 2, ...head },
    kdf: { ...kdf, salt: salt.toString('base64') },
    cipher: { name: CIPHER, nonce },
    data,
    ...(attached === undefined ? {} : { attached: seal(Buffer.from(attached), key, attachedText(head)) }),
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
  const opened = open(
    { nonce: backup.cipher.nonce, data: backup.data },
    await keyFor(backup, passphrase),
    boundText(backup),
  )
  const privateKey = readKey(opened)
  if (privateKey?.type === 'Ed25519' && peerIdFromPrivateKey(privateKey).toString() === backup.peerId) return privateKey
  throw new AppError('invalid_request', 'The key in this backup is not the one it says. Choose another backup.', {
    param: 'text',
  })
}

function readKey(bytes: Buffer): PrivateKey | undefined {
  try {
    return privateKeyFromProtobuf(bytes)
  } catch {
    return undefined // Whoever made the file knew the passphrase and put something else in.
  }
}

/** The text that was kept beside the key; undefined without one. @throws AppError as {@link unlockIdentity} */
export async function unlockAttached(backup: Backup, passphrase: string): Promise<string | undefined> {
  if (backup.attached === undefined) return undefined
  return open(backup.attached, await keyFor(backup, passphrase), attachedText(backup)).toString('utf8')
}

/** Encrypted, with GCM's tag at its end; both in base64. */
interface Sealed {
  nonce: string
  data: string
}

function seal(plain: Buffer, key: Buffer, bound: Buffer): Sealed {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce)
  cipher.setAAD(bound)
  const data = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  return { nonce: nonce.toString('base64'), data: data.toString('base64') }
}

function open({ nonce, data }: Sealed, key: Buffer, bound: Buffer): Buffer {
  const sealed = Buffer.from(data, 'base64')
  try {
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(nonce, 'base64'))
    decipher.setAAD(bound)
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()])
  } catch (error) {
    throw new AppError('invalid_request', 'The passphrase is not the one of this backup, or the file was changed.', {
      param: 'passphrase',
      cause: error,
    })
  }
}

const keyFor = (backup: Backup, passphrase: string): Promise<Buffer> =>
  keyOf(passphrase, Buffer.from(backup.kdf.salt, 'base64'), backup.kdf.N)

const attachedText = (head: Pick<Backup, 'peerId' | 'madeAtMs'>): Buffer =>
  Buffer.concat([boundText(head), Buffer.from('|attached')])

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
