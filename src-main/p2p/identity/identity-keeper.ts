import { constants } from 'node:fs'
import { chmod, copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { BackupView, IdentityView } from '#shared/contract/network/identity.js'
import { AppError } from '#shared/errors.js'
import type { Clock } from '../../base/clock.js'
import { whyNotWritten } from '../../base/not-stored.js'
import type { Log } from '../../logging/index.js'
import type { Identity } from '../index.js'
import { lockIdentity, readBackup, unlockAttached, unlockIdentity, type BackupCost } from './identity-backup.js'
import { IDENTITY_FILE, writeKeyFile } from './identity.js'

/** Saves and restores the key of a node. */
export interface IdentityKeeper {
  view(): IdentityView
  /** A file's name and text with the key in force. @throws AppError `rate_limited` while another one is made */
  backup(passphrase: string): Promise<{ fileName: string; text: string }>
  /** @throws AppError `invalid_request` for what is no backup */
  inspect(text: string): BackupView
  /**
   * Puts the backup's key in the place of the one on disk, which is kept beside it. The next start has it.
   * @throws AppError `invalid_request` (no backup, wrong passphrase, or the identity comes from a seed),
   * `identity_unreadable` when it can't be written (then nothing has changed), `rate_limited` while another one is opened
   */
  restore(text: string, passphrase: string): Promise<Restored>
}

/** What a restore did. */
interface Restored {
  identity: IdentityView
  keptAs: string | null
  /** People of the backup that are trusted now and were not before. */
  people: number
}

/** What is backed up beside the key. */
export interface BackedUpPeople {
  backup(): string
  /** How many came back. @throws AppError `data_dir_unusable` */
  restore(text: string): Promise<number>
}

/** Restores within one second that find a name of their own. */
const MAX_SAME_SECOND = 100

/** The keeper of the key in `dataDir`; `identity` is the one in force. */
export function createIdentityKeeper(
  needs: { identity: Identity; people?: BackedUpPeople; clock: Clock; log: Log },
  options: { dataDir: string; backupCost?: BackupCost },
): IdentityKeeper {
  const { identity, clock } = needs
  const log = needs.log.forComponent('identity')
  const file = join(options.dataDir, IDENTITY_FILE)
  const peerId = identity.peerId.toString()
  let nextPeerId = peerId
  let busy = false

  /** Each opening takes much memory for a moment: one at a time. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    if (busy) {
      throw new AppError('rate_limited', 'A backup is being made or opened already. Try again in a moment.', {
        retryAfterS: 1,
      })
    }
    busy = true
    try {
      return await work()
    } finally {
      busy = false
    }
  }

  function view(): IdentityView {
    return { peerId, seeded: identity.seeded, file, nextPeerId: nextPeerId === peerId ? null : nextPeerId }
  }

  async function restore(text: string, passphrase: string): Promise<Restored> {
    const backup = readBackup(text)
    if (identity.seeded) {
      throw new AppError(
        'invalid_request',
        'This node’s identity comes from the setting seed, which counts more than a key. Start it without, then restore.',
        { param: 'text' },
      )
    }
    const privateKey = await unlockIdentity(backup, passphrase)
    const restored = peerIdFromPrivateKey(privateKey).toString()
    const attached = await unlockAttached(backup, passphrase)
    const people = attached === undefined ? 0 : ((await needs.people?.restore(attached)) ?? 0)
    if (restored === nextPeerId) return { identity: view(), keptAs: null, people }
    const keptAs = await keepOld()
    try {
      await writeKeyFile(file, privateKey)
    } catch (error) {
      if (!(await dropCopy(keptAs))) throw error
      const why = whyNotWritten(error instanceof AppError ? error.cause : error)
      throw new AppError(
        'identity_unreadable',
        `The backup was not restored, and this node keeps its identity: ${file} can’t be written, because ${why}.`,
        { cause: error },
      )
    }
    nextPeerId = restored
    log.warn('another identity was restored and counts from the next start on', { peerId, next: restored, keptAs })
    return { identity: view(), keptAs, people }
  }

  /** The key on disk under a name of its own; the key in force where the disk has none any more. */
  async function keepOld(): Promise<string> {
    const time = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '')
    for (let i = 1; i <= MAX_SAME_SECOND; i += 1) {
      const kept = `${file}.bak-${time}${i === 1 ? '' : `-${i}`}`
      try {
        await copyOld(kept)
        return basename(kept)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
        throw new AppError('identity_unreadable', `The key in ${file} could not be kept, so nothing was changed.`, {
          cause: error,
        })
      }
    }
    throw new AppError('rate_limited', 'Too many restores at once. Try again in a moment.', { retryAfterS: 1 })
  }

  /** Removes the copy of a key that still stands in its own place; false where it does not. */
  async function dropCopy(name: string): Promise<boolean> {
    const copy = join(options.dataDir, name)
    const [now, kept] = await Promise.all([file, copy].map((path) => readFile(path).catch(() => undefined)))
    if (now === undefined || kept?.equals(now) !== true) return false
    await rm(copy, { force: true })
    return true
  }

  async function copyOld(kept: string): Promise<void> {
    try {
      await copyFile(file, kept, constants.COPYFILE_EXCL)
      await chmod(kept, 0o600)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      await writeFile(kept, privateKeyToProtobuf(identity.privateKey), { flag: 'wx', mode: 0o600, flush: true })
    }
  }

  return {
    view,
    inspect(text) {
      const { peerId: inside, madeAtMs } = readBackup(text)
      return { peerId: inside, madeAtMs, same: inside === nextPeerId }
    },
    backup: (passphrase) =>
      alone(async () => {
        const madeAtMs = clock.now()
        const day = new Date(madeAtMs).toISOString().slice(0, 10)
        return {
          fileName: `ocf-identity-${peerId.slice(-8)}-${day}.json`,
          text: await lockIdentity(identity.privateKey, {
            ...{ passphrase, madeAtMs, cost: options.backupCost },
            attached: needs.people?.backup(),
          }),
        }
      }),
    restore: (text, passphrase) => alone(() => restore(text, passphrase)),
  }
}
