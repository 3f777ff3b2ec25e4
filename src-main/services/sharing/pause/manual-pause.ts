import { z } from 'zod'
import type { PauseReason } from '#shared/contract/sharing/pause.js'
import type { Clock, MonotonicClock } from '../../../base/clock.js'
import { readJsonFile, writeJsonFile } from '../../../base/json-file.js'
import { notStored } from '../../../base/not-stored.js'
import type { Log } from '../../../logging/index.js'

/** Unix milliseconds at which it ends; null is until resumed. */
const ManualSchema = z.object({ untilMs: z.number().nullable() })
const FileSchema = z.object({ manual: ManualSchema.nullable() })

/** The pause made by hand; it survives a restart. */
export class ManualPause {
  readonly #clock: Clock
  readonly #monotonic: MonotonicClock
  readonly #log: Log
  readonly #file: string
  #manual: z.output<typeof ManualSchema> | null = null
  /** When it ends on the monotonic clock; Infinity where it does not end. */
  #endsAtMs = Number.POSITIVE_INFINITY
  /** The file says that there is one. */
  #isStored = false
  #writing: Promise<void> = Promise.resolve()

  constructor(needs: { clock: Clock; monotonic: MonotonicClock; log: Log }, options: { file: string }) {
    this.#clock = needs.clock
    this.#monotonic = needs.monotonic
    this.#log = needs.log
    this.#file = options.file
  }

  /** Milliseconds until it ends, whatever becomes of the machine's clock; Infinity where it does not end. */
  get endsInMs(): number {
    return this.#endsAtMs - this.#monotonic.elapsedMs()
  }

  /** Why sharing is paused by hand; empty while it is not. */
  get reasons(): PauseReason[] {
    if (this.#manual === null) return []
    const { untilMs } = this.#manual
    const sentence = untilMs === null ? 'you paused it until you resume' : 'you paused it for a while'
    return [{ cause: 'manual', sentence, untilMs }]
  }

  /** Takes in the pause of the last run. One that can't be read any more was a pause: the owner resumes by hand. */
  async read(): Promise<void> {
    const content = await readJsonFile(this.#file, FileSchema)
    if (content.kind === 'read') this.#set(content.value.manual)
    if (content.kind === 'broken') this.#set({ untilMs: null })
    this.#isStored = this.#manual !== null
  }

  /** It begins, from now on; null is until resumed. {@link ManualPause.store} makes it last. */
  begin(forMs: number | null): void {
    this.#set({ untilMs: forMs === null ? null : this.#clock.now() + forMs })
  }

  /** @throws AppError `data_dir_unusable`; the pause is in force all the same */
  async store(): Promise<void> {
    try {
      await this.#write(this.#manual)
    } catch (error) {
      throw notStored('Sharing is paused, but only until this node stops', this.#file, error)
    }
  }

  /** Ends it. One that would be back after the next start has not ended. @throws AppError `data_dir_unusable` */
  async end(): Promise<void> {
    const ending = this.#manual
    try {
      await this.#write(null)
    } catch (error) {
      throw notStored('Sharing stays paused', this.#file, error)
    }
    // Another one may have begun meanwhile.
    if (this.#manual === ending) this.#set(null)
  }

  /** Ends it where its time is over. */
  async expire(): Promise<void> {
    if (this.endsInMs > 0) return
    this.#set(null)
    try {
      await this.#write(null)
    } catch (error) {
      // The file has its time, so the next start sees that it is over.
      this.#log.warn('the end of a pause could not be stored', { file: this.#file, error })
    }
  }

  #set(manual: z.output<typeof ManualSchema> | null): void {
    this.#manual = manual
    const endsInMs = (manual?.untilMs ?? Number.POSITIVE_INFINITY) - this.#clock.now()
    this.#endsAtMs = this.#monotonic.elapsedMs() + endsInMs
  }

  /** One after the other, so that the last one counts. */
  #write(manual: z.output<typeof ManualSchema> | null): Promise<void> {
    const done = this.#writing.then(async () => {
      if (manual === null && !this.#isStored) return
      await writeJsonFile(this.#file, { manual })
      this.#isStored = manual !== null
    })
    this.#writing = done.catch(() => undefined) // The caller hears of it; the next one is not held up.
    return done
  }
}
