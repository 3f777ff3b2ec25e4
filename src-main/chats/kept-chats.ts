import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { CallOutput } from '#shared/contract/index.js'
import {
  type KeptConversation,
  KeptConversationSchema,
  MAX_KEPT_BYTES,
  MAX_KEPT_CONVERSATIONS,
} from '#shared/contract/node/chats.js'
import { AppError } from '#shared/errors.js'
import type { Clock } from '../base/clock.js'
import { CHATS_FILE } from '../base/data-folder.js'
import { writePrivateFile } from '../base/json-file.js'
import type { Service } from '../base/lifecycle.js'
import type { Log } from '../logging/index.js'
import type { SecretStore } from '../services/secrets/index.js'

/** The conversations of the chat page, encrypted in one file of the data folder. */
export interface KeptChats extends Service {
  /**
   * What is stored; no conversations while chats are not kept. A file that can't be opened is set aside first.
   * @throws AppError `secret_unreadable` where the key can't be opened now: file and key stay; `data_dir_unusable`
   */
  load(): Promise<CallOutput<'chats.load'>>
  /**
   * Stores these in place of those before; the last ones of the list are left out where they are too many.
   * @throws AppError `invalid_request` (with `param` `chats.keep`) while chats are not kept, `body_too_large` for a single
   * conversation beyond all bounds, `secret_unreadable`, `data_dir_unusable`
   */
  save(conversations: readonly KeptConversation[]): Promise<CallOutput<'chats.save'>>
  /**
   * Deletes the file, what was set aside and the key.
   * @throws AppError `data_dir_unusable`
   */
  forget(): Promise<void>
}

/** What the kept chats stand on. */
interface Needs {
  secrets: Pick<SecretStore, 'get' | 'set' | 'remove' | 'isSealed'>
  clock: Clock
  log: Log
  /** Whether the person wants them kept, as the setting `chats.keep` is now. */
  isKept(): boolean
}

const KEY_NAME = 'chats-key'
const KEY_BYTES = 32
const CIPHER = 'aes-256-gcm'
/** What the file begins with; it is authenticated with the rest. */
const MAGIC = Buffer.from('OCFCHAT1')
const IV_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = MAGIC.length + IV_BYTES + TAG_BYTES
const BROKEN = `${CHATS_FILE}.broken-`
const FileSchema = z.array(KeptConversationSchema)

/** Chats kept in `chats.bin` (0600) of `dir`, under a random key that lies with the node’s other secrets. */
export function createKeptChats(needs: Needs, options: { dir: string }): KeptChats {
  return new EncryptedChats(needs, options)
}

class EncryptedChats implements KeptChats {
  readonly name = 'chats'
  readonly #needs: Needs
  readonly #log: Log
  readonly #dir: string
  readonly #file: string
  /** What can't be opened is set aside before anything is written in its place. */
  #isChecked = false
  /** One after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(needs: Needs, options: { dir: string }) {
    this.#needs = needs
    this.#log = needs.log.forComponent('chats')
    this.#dir = options.dir
    this.#file = join(options.dir, CHATS_FILE)
  }

  /** Removes what a crash left half written. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const names = await this.#names()
    const drafts = names.filter((name) => name !== CHATS_FILE && !name.startsWith(BROKEN))
    for (const name of drafts) await rm(join(this.#dir, name), { force: true })
  }

  async stop(): Promise<void> {
    await this.#last
  }

  load(): Promise<CallOutput<'chats.load'>> {
    return this.#inTurn(async () => {
      const keep = this.#needs.isKept()
      const conversations = keep ? await this.#read() : []
      // Made now, so that the page can say how it is kept before the first word is.
      if (keep) await this.#ownKey()
      const names = await this.#names()
      return {
        ...{ keep, conversations },
        sealed: keep && (await this.#needs.secrets.isSealed(KEY_NAME)),
        stored: names.includes(CHATS_FILE),
        setAside: names.filter((name) => name.startsWith(BROKEN)),
      }
    })
  }

  save(conversations: readonly KeptConversation[]): Promise<CallOutput<'chats.save'>> {
    return this.#inTurn(async () => {
      if (!this.#needs.isKept()) {
        throw new AppError('invalid_request', 'Chats are not kept on this computer.', { param: 'chats.keep' })
      }
      const { kept, dropped } = within(conversations)
      if (!this.#isChecked) await this.#read()
      const key = await this.#ownKey()
      await writePrivateFile(this.#file, encrypted(key, Buffer.from(JSON.stringify(kept))))
      return { dropped }
    })
  }

  forget(): Promise<void> {
    return this.#inTurn(async () => {
      for (const name of await this.#names()) await rm(join(this.#dir, name), { force: true })
      await this.#needs.secrets.remove(KEY_NAME)
      this.#log.info('kept chats were deleted')
    })
  }

  /** What the file holds; empty where there is none, and where it had to be set aside. */
  async #read(): Promise<KeptConversation[]> {
    const bytes = await readFile(this.#file).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    const key = bytes === undefined ? undefined : await this.#key()
    const conversations = bytes === undefined ? [] : opened(key, bytes)
    if (conversations === undefined) {
      const aside = `${BROKEN}${new Date(this.#needs.clock.now()).toISOString().replaceAll(':', '-')}`
      await rename(this.#file, join(this.#dir, aside))
      const reason = key === undefined ? 'its key is gone' : 'it is damaged or was written under another key'
      this.#log.warn('the file with kept chats cannot be opened and was set aside', { file: aside, reason })
    }
    this.#isChecked = true
    return conversations ?? []
  }

  async #ownKey(): Promise<Buffer> {
    const known = await this.#key()
    if (known !== undefined) return known
    const key = randomBytes(KEY_BYTES)
    await this.#needs.secrets.set(KEY_NAME, key.toString('base64'))
    return key
  }

  async #key(): Promise<Buffer | undefined> {
    const text = await this.#needs.secrets.get(KEY_NAME).catch((error: unknown): never => {
      if (!(error instanceof AppError) || error.code !== 'secret_unreadable') throw error
      throw new AppError(
        'secret_unreadable',
        'The kept chats can’t be opened now: the system’s key store that sealed their key is locked or is not here. ' +
          'They stay as they are. Unlock it, or use the app that kept them, and start again.',
        { cause: error },
      )
    })
    const key = text === undefined ? undefined : Buffer.from(text, 'base64')
    return key?.length === KEY_BYTES ? key : undefined
  }

  /** The file, its drafts and what was set aside. */
  async #names(): Promise<string[]> {
    return (await readdir(this.#dir)).filter((name) => name.startsWith(CHATS_FILE)).sort()
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#last.then(action).catch((error: unknown): never => {
      if (error instanceof AppError) throw error
      throw new AppError('data_dir_unusable', `${this.#file} could not be read or written.`, { cause: error })
    })
    this.#last = done.catch(() => undefined) // The caller hears of it; the next one is not held up.
    return done
  }
}

/** As many as may be kept, from the first on. */
function within(conversations: readonly KeptConversation[]): { kept: KeptConversation[]; dropped: string[] } {
  const kept: KeptConversation[] = []
  const dropped: string[] = []
  let bytes = 0
  for (const conversation of conversations) {
    const size = Buffer.byteLength(conversation.text)
    if (size > MAX_KEPT_BYTES) {
      throw new AppError('body_too_large', 'A conversation is larger than 32 MiB, so chats can’t be kept. Delete it.')
    }
    const fits = kept.length < MAX_KEPT_CONVERSATIONS && bytes + size <= MAX_KEPT_BYTES
    // Once one is left out, so are all older ones.
    if (!fits || dropped.length > 0) dropped.push(conversation.id)
    else {
      kept.push(conversation)
      bytes += size
    }
  }
  return { kept, dropped }
}

function encrypted(key: Buffer, plain: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(CIPHER, key, iv).setAAD(MAGIC)
  const sealed = [cipher.update(plain), cipher.final()]
  return Buffer.concat([MAGIC, iv, cipher.getAuthTag(), ...sealed])
}

/** What was encrypted; undefined for a file that is not as it was written, and for another key. */
function opened(key: Buffer | undefined, bytes: Buffer): KeptConversation[] | undefined {
  if (key === undefined || bytes.length < HEAD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  const iv = bytes.subarray(MAGIC.length, MAGIC.length + IV_BYTES)
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES })
    .setAAD(MAGIC)
    .setAuthTag(bytes.subarray(MAGIC.length + IV_BYTES, HEAD_BYTES))
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES)), decipher.final()])
    return FileSchema.parse(JSON.parse(plain.toString()))
  } catch {
    return undefined
  }
}
