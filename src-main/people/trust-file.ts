import { rename } from 'node:fs/promises'
import { z } from 'zod'
import { readJsonFile, writeJsonFile } from '../base/json-file.js'
import { notStored } from '../base/not-stored.js'
import type { Log } from '../logging/index.js'
import {
  KeptInviteSchema,
  KeptPersonSchema,
  MAX_ENTRIES,
  PendingJoinSchema,
  TRUST_LIMITS,
  type TrustContent,
} from './kept.js'

/** What is only noted, such as when a person was last seen, is written so much later at most (ms). */
const NOTE_AFTER_MS = 60_000

const FileSchema = z.object({
  format: z.literal(1),
  people: z.array(z.unknown()).max(MAX_ENTRIES),
  invites: z.array(z.unknown()).max(MAX_ENTRIES),
  pending: z.unknown().optional(),
})

/** `trust.json` (0600). One odd entry does not spoil the others; a file that can't be understood is put aside. */
export class TrustFile {
  readonly #file: string
  readonly #log: Log
  #isBroken = false
  /** One change after the other. */
  #last: Promise<unknown> = Promise.resolve()
  /** What is to be written later. */
  #noted: (() => TrustContent) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(needs: { log: Log }, options: { file: string }) {
    this.#log = needs.log
    this.#file = options.file
  }

  /** What was kept. Rejects when the file system does. */
  async read(): Promise<TrustContent> {
    const content = await readJsonFile(this.#file, FileSchema)
    if (content.kind === 'missing') return { people: [], invites: [], pending: undefined }
    if (content.kind === 'broken') {
      this.#isBroken = true
      const { reason } = content
      this.#log.error('whom this node trusts cannot be read: only the settings count', { file: this.#file, reason })
      return { people: [], invites: [], pending: undefined }
    }
    const { people, invites, pending } = content.value
    return {
      people: this.#known(people, KeptPersonSchema, 'person').slice(0, TRUST_LIMITS.people),
      invites: this.#known(invites, KeptInviteSchema, 'invite').slice(
        -(TRUST_LIMITS.invites + TRUST_LIMITS.endedInvites),
      ),
      pending: PendingJoinSchema.safeParse(pending).data,
    }
  }

  /** Makes a change after those before it, of which each may read and write. */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#last.then(change)
    this.#last = done.catch(() => undefined) // The caller hears of it; the next one is not held up.
    return done
  }

  /** Writes what `content` gives then, within a minute. That this failed is logged. */
  writeLater(content: () => TrustContent): void {
    this.#noted = content
    this.#timer ??= setTimeout(() => void this.#writeNoted(), NOTE_AFTER_MS).unref()
  }

  /** Everything is written. */
  async settle(): Promise<void> {
    await this.#writeNoted()
    await this.#last
  }

  async #writeNoted(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const content = this.#noted
    this.#noted = undefined
    if (content === undefined) return
    try {
      await this.inTurn(() => this.write(content(), ''))
    } catch (error) {
      this.#log.warn('when people were last seen could not be written', { error })
    }
  }

  /** @throws AppError `data_dir_unusable`; `otherwise` is what that means for the person. */
  async write({ people, invites, pending }: TrustContent, otherwise: string): Promise<void> {
    try {
      if (this.#isBroken) await rename(this.#file, `${this.#file}.damaged`)
      this.#isBroken = false
      await writeJsonFile(this.#file, { format: 1, people, invites, pending })
    } catch (error) {
      throw notStored(otherwise, this.#file, error)
    }
  }

  #known<S extends z.ZodType>(entries: readonly unknown[], schema: S, what: string): z.output<S>[] {
    return entries.flatMap((entry) => {
      const parsed = schema.safeParse(entry)
      if (parsed.success) return [parsed.data]
      this.#log.warn('an entry cannot be understood and is left out', { file: this.#file, what })
      return []
    })
  }
}
