import { rename } from 'node:fs/promises'
import { z } from 'zod'
import { ServerKindSchema } from '#shared/contract/sharing/detection.js'
import { AliasSchema, ModelChoiceSchema, VisibilitySchema } from '#shared/contract/sharing/visibility.js'
import { AppError } from '#shared/errors.js'
import { readJsonFile, writeJsonFile } from '../../../base/json-file.js'
import { notStored, whyNotWritten } from '../../../base/not-stored.js'
import type { Log } from '../../../logging/index.js'
import { isHost } from '../../registry/target.js'
import type { SecretStore } from '../../secrets/index.js'

/** Models of one server of which it is remembered what was chosen. */
export const MAX_CHOICES = 1000

/** Servers that are no longer shared of which it is remembered what was chosen. */
export const MAX_STOPPED = 64

/** A server and what was chosen for its models. The first format had no visibilities: everyone could use what was ticked. */
const ChosenSchema = z.object({
  host: z.string().refine(isHost),
  port: z.number().int().min(1).max(65_535),
  models: z.union([z.literal('all'), z.array(z.string().min(1).max(1024)).max(1000)]),
  /** Of models without a choice of their own, and of those that are added later. */
  visibility: VisibilitySchema.default('everyone'),
  choices: z.array(ModelChoiceSchema).max(MAX_CHOICES).default([]),
  aliases: z.array(AliasSchema).max(50).default([]),
})
/** What was chosen for a server that is no longer shared. */
export type StoppedShare = z.output<typeof ChosenSchema>

/** One share as it is kept; the key stands elsewhere. */
export const KeptShareSchema = ChosenSchema.extend({
  kind: ServerKindSchema.exclude(['gateway']),
  basePath: z.enum(['', '/engines', '/api']).default(''),
  healthPath: z.string().regex(/^\/[\x21-\x7e]*$/),
  /** Unix milliseconds. */
  sharedAtMs: z.number().default(0),
})
/** {@link KeptShareSchema}, read. */
export type KeptShare = z.output<typeof KeptShareSchema>

/** 2: with visibilities. */
const FORMAT = 2

/** `shares.json`. One odd entry does not spoil the others, so they are read one by one. */
export const ShareFileSchema = z.object({
  format: z.union([z.literal(1), z.literal(FORMAT)]),
  shares: z.array(z.unknown()).max(64),
  stopped: z.array(z.unknown()).max(MAX_STOPPED).default([]),
})

/** What is shared, and what was chosen for servers that no longer are, the latest first. */
export interface KeptShares {
  shares: readonly KeptShare[]
  stopped: readonly StoppedShare[]
}

/** The file's content. */
export function shareFile({ shares, stopped }: KeptShares): z.input<typeof ShareFileSchema> {
  return { format: FORMAT, shares: [...shares], stopped: stopped.slice(0, MAX_STOPPED) }
}

/** A server's key, and the one that was kept for it before. */
export interface KeyChange {
  address: string
  key: string
  before: string | undefined
}

/** The shares on disk, with the keys of their servers in the secret store. A file that can't be understood is put aside. */
export class ShareFile {
  readonly #file: string
  readonly #secrets: SecretStore
  readonly #log: Log
  #isBroken = false

  constructor(needs: { secrets: SecretStore; log: Log }, options: { file: string }) {
    this.#file = options.file
    this.#secrets = needs.secrets
    this.#log = needs.log
  }

  /**
   * What was shared in the last run, and whether that was written in an earlier format. Rejects when the file system does.
   */
  async read(): Promise<KeptShares & { isOld: boolean }> {
    const content = await readJsonFile(this.#file, ShareFileSchema)
    if (content.kind === 'missing') return { shares: [], stopped: [], isOld: false }
    if (content.kind === 'broken') {
      const { reason } = content
      this.#isBroken = true
      this.#log.error('what was shared before cannot be read and is not shared now', { file: this.#file, reason })
      return { shares: [], stopped: [], isOld: false }
    }
    const { format, shares, stopped } = content.value
    return {
      shares: this.#understood(shares, KeptShareSchema),
      stopped: this.#understood(stopped, ChosenSchema),
      isOld: format < FORMAT,
    }
  }

  #understood<T>(entries: readonly unknown[], schema: z.ZodType<T>): T[] {
    return entries.flatMap((entry) => {
      const parsed = schema.safeParse(entry)
      if (parsed.success) return [parsed.data]
      this.#log.warn('one of the shares cannot be understood and is left out', { file: this.#file })
      return []
    })
  }

  /** The kept key of a server. One that can't be opened must not keep the node from starting: the server asks for it. */
  async keyOf(address: string): Promise<string | undefined> {
    try {
      return await this.#secrets.get(secretName(address))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      this.#log.error('the kept key of a server cannot be read and is not sent', { address, reason: error.message })
      return undefined
    }
  }

  /**
   * Stores the shares and the key of one of them: both, or none of them. `otherwise` is what it means for the person when
   * that fails.
   * @throws AppError `data_dir_unusable`
   */
  async store(kept: KeptShares, change: KeyChange | undefined, otherwise: string): Promise<void> {
    try {
      if (change !== undefined) await this.#secrets.set(secretName(change.address), change.key)
    } catch (error) {
      throw notStored(otherwise, 'the file of keys', error)
    }
    try {
      await this.#write(kept)
    } catch (error) {
      await this.#takeBackKey(change)
      throw notStored(otherwise, this.#file, error)
    }
  }

  /** Puts back what {@link ShareFile.store} has written. Never rejects. */
  async takeBack(kept: KeptShares, change: KeyChange | undefined): Promise<void> {
    await this.#takeBackKey(change)
    try {
      await this.#write(kept)
    } catch (error) {
      this.#log.error('a share that was refused stays on disk', { file: this.#file, error })
    }
  }

  /**
   * Stores the shares that are left and forgets the key of the one that ended. Never rejects; `problem` is what could not
   * be written, in a sentence for the person.
   */
  async takeOut(rest: KeptShares, address: string): Promise<{ comesBack: boolean; problem: string | null }> {
    try {
      await this.#write(rest)
    } catch (error) {
      this.#log.error('a share that ended stays on disk and comes back with the next start', { address, error })
      const why = `${this.#file} can’t be written, because ${whyNotWritten(error)}`
      return { comesBack: true, problem: `It will be shared again after the next start: ${why}.` }
    }
    try {
      await this.#secrets.remove(secretName(address))
    } catch (error) {
      this.#log.error('the key of a server that is no longer shared stays on disk', { address, error })
      const why = `the file of keys can’t be written, because ${whyNotWritten(error)}`
      return { comesBack: false, problem: `Its key stays on this computer: ${why}.` }
    }
    return { comesBack: false, problem: null }
  }

  async #write(kept: KeptShares): Promise<void> {
    if (this.#isBroken) await rename(this.#file, `${this.#file}.damaged`)
    this.#isBroken = false
    await writeJsonFile(this.#file, shareFile(kept))
  }

  /** Puts back the key there was before. A key without a share is sent to no server. */
  async #takeBackKey(change: KeyChange | undefined): Promise<void> {
    if (change === undefined) return
    const { address, before } = change
    try {
      if (before === undefined) await this.#secrets.remove(secretName(address))
      else await this.#secrets.set(secretName(address), before)
    } catch (error) {
      this.#log.error('the key of a server that is not shared stays on disk', { address, error })
    }
  }
}

const secretName = (address: string): string => `server-key:${address}`
