import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { z } from 'zod'
import { AppError } from '#shared/errors.js'
import type { Clock } from '../../base/clock.js'
import { readJsonFile, writeJsonFile } from '../../base/json-file.js'
import type { Service } from '../../base/lifecycle.js'
import type { Log } from '../../logging/index.js'

const DaySchema = z.iso.date()
const KeptKeySchema = z.strictObject({
  name: z.string().min(1).max(64),
  /** SHA-256 of the key, in hex. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  createdDay: DaySchema,
  lastUsedDay: DaySchema.nullable(),
})
const FileSchema = z.strictObject({ keys: z.array(KeptKeySchema) })
type KeptKey = z.output<typeof KeptKeySchema>

/** A key of an app, without what it opens with; days are UTC, as `2026-01-31`. */
export interface ApiKey extends Omit<KeptKey, 'hash'> {
  /** The first characters of its hash. */
  id: string
}

/** Whom a key belongs to; `name` is null for the dashboard and the command line of this very node. */
export interface KeyHolder {
  readonly name: string | null
}

/** The keys that apps show at the gateway. */
export interface ApiKeys extends Service {
  /** Opens the gateway to this node's own dashboard and command line; new at each start and in memory only. */
  readonly own: string
  list(): ApiKey[]
  /**
   * Makes a key, which is in no file and can't be shown again.
   * @throws AppError `invalid_request` for a name that is taken or one key too many, `data_dir_unusable`
   */
  add(name: string): Promise<{ key: string; entry: ApiKey }>
  /**
   * Refuses a key from this moment on, given by name or id.
   * @throws AppError `not_found`; `data_dir_unusable` where it would count again after a restart
   */
  revoke(nameOrId: string): Promise<ApiKey>
  /** Who a key belongs to; undefined for one that opens nothing. It counts as used today. */
  find(presented: string): KeyHolder | undefined
}

/** `ocf_` and 32 random bytes as base64url. */
const KEY = /^ocf_[A-Za-z0-9_-]{43}$/
const KEY_BYTES = 32
/** Hex digits of the hash that make an id. */
const ID_CHARS = 12
const MAX_KEYS = 256
const DAY_MS = 86_400_000

interface Known extends KeyHolder {
  readonly digest: Buffer
  kept: KeptKey | undefined
  /** Days since 1970; compared for each request, so not as text. */
  usedDay: number
}

/**
 * Keys kept in `file` (0600) as SHA-256 alone. A slow hash with a salt protects passwords, which can be guessed; these
 * have 256 random bits, which can't, and each request has to be checked.
 */
export function createApiKeys(needs: { clock: Clock; log: Log }, options: { file: string }): ApiKeys {
  return new KeptApiKeys(needs, options)
}

class KeptApiKeys implements ApiKeys {
  readonly name = 'api-keys'
  readonly own = newKey()
  readonly #clock: Clock
  readonly #log: Log
  readonly #file: string
  /** By id. */
  readonly #known = new Map<string, Known>()
  #isBroken = false
  /** One change after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(needs: { clock: Clock; log: Log }, options: { file: string }) {
    this.#clock = needs.clock
    this.#log = needs.log.forComponent('api-keys')
    this.#file = options.file
    const digest = digestOf(this.own)
    this.#known.set(idOf(digest), { name: null, digest, kept: undefined, usedDay: 0 })
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const content = await readJsonFile(this.#file, FileSchema)
    if (content.kind === 'broken') {
      this.#isBroken = true
      this.#log.warn('the file with API keys cannot be understood, so none of them counts', {
        ...{ file: this.#file, reason: content.reason },
      })
    }
    for (const kept of content.kind === 'read' ? content.value.keys : []) this.#know(kept)
  }

  async stop(): Promise<void> {
    await this.#last
  }

  list(): ApiKey[] {
    return [...this.#known].flatMap(([id, { kept }]) => (kept === undefined ? [] : [entryOf(id, kept)]))
  }

  add(name: string): Promise<{ key: string; entry: ApiKey }> {
    return this.#inTurn(async () => {
      const isTaken = this.list().some((entry) => sameName(entry.name, name) || entry.id === name)
      if (isTaken) throw new AppError('invalid_request', `There is a key “${name}” already.`, { param: 'name' })
      if (this.#known.size > MAX_KEYS) throw new AppError('invalid_request', `There are ${MAX_KEYS} keys already.`)
      const key = newKey()
      const kept: KeptKey = {
        name,
        hash: digestOf(key).toString('hex'),
        createdDay: dayText(this.#today()),
        lastUsedDay: null,
      }
      // What opens something is stored first; what closes it is done first.
      await this.#write([...this.#kept(), kept], 'No key was made.')
      const entry = entryOf(this.#know(kept), kept)
      this.#log.info('an API key was made', { name })
      return { key, entry }
    })
  }

  async revoke(nameOrId: string): Promise<ApiKey> {
    const entries = this.list()
    const entry = entries.find(({ name }) => name === nameOrId) ?? entries.find(({ id }) => id === nameOrId)
    if (entry === undefined) throw new AppError('not_found', `There is no API key “${nameOrId}”.`)
    this.#known.delete(entry.id)
    this.#log.info('an API key was revoked', { name: entry.name })
    await this.#inTurn(() => this.#write(this.#kept(), 'The key is refused now, but it counts again after a restart.'))
    return entry
  }

  find(presented: string): KeyHolder | undefined {
    if (!KEY.test(presented)) return undefined
    const digest = digestOf(presented)
    const known = this.#known.get(idOf(digest))
    if (known === undefined || !timingSafeEqual(known.digest, digest)) return undefined
    const today = this.#today()
    if (known.kept !== undefined && known.usedDay !== today) this.#markUsed(known, known.kept, today)
    return known
  }

  #markUsed(known: Known, kept: KeptKey, today: number): void {
    known.usedDay = today
    known.kept = { ...kept, lastUsedDay: dayText(today) }
    this.#inTurn(() => this.#write(this.#kept(), '')).catch((error: unknown) => {
      this.#log.warn('when an API key was last used could not be written', { error })
    })
  }

  #know(kept: KeptKey): string {
    const digest = Buffer.from(kept.hash, 'hex')
    const id = idOf(digest)
    const usedDay = kept.lastUsedDay === null ? 0 : Date.parse(kept.lastUsedDay) / DAY_MS
    this.#known.set(id, { name: kept.name, digest, kept, usedDay })
    return id
  }

  #kept(): KeptKey[] {
    return [...this.#known.values()].flatMap(({ kept }) => (kept === undefined ? [] : [kept]))
  }

  #today(): number {
    return Math.floor(this.#clock.now() / DAY_MS)
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#last.then(change)
    this.#last = done.catch(() => undefined) // The caller hears of it; the next one is not held up.
    return done
  }

  async #write(keys: KeptKey[], otherwise: string): Promise<void> {
    try {
      if (this.#isBroken) await rename(this.#file, `${this.#file}.damaged`)
      this.#isBroken = false
      await writeJsonFile(this.#file, { keys } satisfies z.input<typeof FileSchema>)
    } catch (error) {
      throw new AppError('data_dir_unusable', `${this.#file} could not be written. ${otherwise}`, { cause: error })
    }
  }
}

const newKey = (): string => `ocf_${randomBytes(KEY_BYTES).toString('base64url')}`

const digestOf = (key: string): Buffer => hash('sha256', key, 'buffer')

/** What it is found by says nothing about the key, so that the time this takes tells nothing either. */
const idOf = (digest: Buffer): string => digest.toString('hex', 0, ID_CHARS / 2)

const dayText = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10)

const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

function entryOf(id: string, { name, createdDay, lastUsedDay }: KeptKey): ApiKey {
  return { id, name, createdDay, lastUsedDay }
}
