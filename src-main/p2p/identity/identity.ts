import { createHash, randomBytes } from 'node:crypto'
import { chmod, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  generateKeyPair,
  generateKeyPairFromSeed,
  privateKeyFromProtobuf,
  privateKeyToProtobuf,
} from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { AppError } from '#shared/errors.js'
import type { Log } from '../../logging/index.js'
import type { Identity } from '../index.js'

/** Name of the key file in the data folder: an Ed25519 private key as libp2p's protobuf, as go-libp2p writes it. */
export const IDENTITY_FILE = 'identity.key'

/** A protobuf Ed25519 key is 68 bytes; anything far bigger is some other file. */
const MAX_KEY_FILE_BYTES = 4096

/**
 * Who this node is. Without a seed: the key of `identity.key` in `dataDir`, made once at the first start. With a seed
 * (demos and tests): the key of {@link seedKeyBytes}, not written to disk.
 * Throws `identity_unreadable` when the file is there but cannot be used; a new identity never replaces it silently.
 */
export async function loadIdentity(options: { dataDir: string; seed: string }, log: Log): Promise<Identity> {
  if (options.seed !== '') {
    const privateKey = await generateKeyPairFromSeed('Ed25519', seedKeyBytes(options.seed))
    log.warn('the identity comes from the setting seed: everyone who knows the seed can act as this node')
    return identity(privateKey, true)
  }
  const file = join(options.dataDir, IDENTITY_FILE)
  const stored = await readKeyFile(file, log)
  if (stored !== undefined) return identity(stored, false)
  const privateKey = await generateKeyPair('Ed25519')
  await writeKeyFile(file, privateKey)
  log.info('created a new identity', { file })
  return identity(privateKey, false)
}

/** The 32 bytes an Ed25519 key is made from for the seed `N`: SHA-256 of the text `ocf-seed|N`. */
function seedKeyBytes(seed: string): Uint8Array {
  return createHash('sha256').update(`ocf-seed|${seed}`).digest()
}

function identity(privateKey: PrivateKey, seeded: boolean): Identity {
  return { peerId: peerIdFromPrivateKey(privateKey), privateKey, seeded }
}

async function readKeyFile(file: string, log: Log): Promise<PrivateKey | undefined> {
  let bytes: Uint8Array
  try {
    const { mode, size } = await stat(file)
    if (size > MAX_KEY_FILE_BYTES) throw unreadable(file, `it is ${size} bytes long`)
    bytes = await readFile(file)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      await chmod(file, 0o600)
      log.warn('the key file was readable by others and has been made private', { file })
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    if (hasCode(error, 'ENOENT')) return undefined
    throw unreadable(file, error instanceof Error ? error.message : String(error), error)
  }
  return decode(file, bytes)
}

function decode(file: string, bytes: Uint8Array): PrivateKey {
  let privateKey: PrivateKey
  try {
    privateKey = privateKeyFromProtobuf(bytes)
  } catch (error) {
    throw unreadable(file, 'it does not hold a libp2p private key', error)
  }
  if (privateKey.type !== 'Ed25519') throw unreadable(file, `it holds a ${privateKey.type} key, not an Ed25519 one`)
  return privateKey
}

/**
 * On disk in full or not at all: rename comes after fsync. Whoever writes over a key has kept it before.
 * Throws `identity_unreadable` when it cannot be written.
 */
export async function writeKeyFile(file: string, privateKey: PrivateKey): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(privateKeyToProtobuf(privateKey))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
    await syncFolder(dirname(file))
  } catch (error) {
    await unlink(temporary).catch((cause: unknown) => {
      if (!hasCode(cause, 'ENOENT')) throw cause
    })
    throw unreadable(file, `it cannot be written: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

async function syncFolder(dir: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function unreadable(file: string, reason: string, cause?: unknown): AppError {
  return new AppError(
    'identity_unreadable',
    `The identity of this node in ${file} cannot be used: ${reason}. Restore the file from a backup, or move it away ` +
      'to start with a new identity (and a new peer id).',
    cause === undefined ? {} : { cause },
  )
}
