import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError } from '#shared/errors.js'
import { notStored } from '../../base/not-stored.js'
import { KNOWN_NETWORKS, type LiveSettings, NO_NETWORK } from '../../config/index.js'
import { readSwarmKey } from '../../p2p/index.js'

const SETTING = 'swarm-key'
const HEAD = '/key/swarm/psk/1.0.0/\n/base16/\n'
const SUFFIX = '.key'
const KEY_BYTES = 32
const CHECK_BYTES = 4
const TEXT_PREFIX = 'ocf-net1'

/** What a private network may be called: it becomes the name of a file. */
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/

/** True for what a private network may be called. */
export const isNetworkName = (text: string): boolean => NAME.test(text)

/** The key of a private network as one line, for nodes of the same owner. Whoever has it can enter the network. */
export function writeNetworkKey(key: Uint8Array): string {
  return `${TEXT_PREFIX}${Buffer.concat([key, checkOf(key)]).toString('base64url')}`
}

/** The key in such a line; undefined where characters of it are missing or changed. */
export function readNetworkKey(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text.replaceAll(/\s/g, '').slice(TEXT_PREFIX.length), 'base64url')
  const key = bytes.subarray(0, KEY_BYTES)
  return bytes.length === KEY_BYTES + CHECK_BYTES && checkOf(key).equals(bytes.subarray(KEY_BYTES)) ? key : undefined
}

const checkOf = (key: Uint8Array): Buffer =>
  hash('sha256', Buffer.concat([Buffer.from(TEXT_PREFIX), key]), 'buffer').subarray(0, CHECK_BYTES)

/** Which network this node runs in, and the way into another one at its next start. */
export class NetworkKey {
  readonly #source: LiveSettings['source']
  readonly #dir: string
  readonly #file: string
  #key: Uint8Array | undefined

  constructor(live: Pick<LiveSettings, 'current' | 'source'>, options: { dataDir: string }) {
    this.#source = live.source
    this.#file = live.current[SETTING]
    this.#dir = join(options.dataDir, 'networks')
  }

  /** Reads the key in force. @throws AppError `invalid_settings` */
  async load(): Promise<void> {
    if (this.#file === '') return
    this.#key = await keyIn(this.#file)
  }

  /** The 32 bytes of a private network's key; undefined in the public one. */
  get key(): Uint8Array | undefined {
    return this.#key
  }

  /** What the private network is called here; undefined in the public one. */
  get name(): string | undefined {
    return this.#file === '' ? undefined : basename(this.#file, SUFFIX)
  }

  /** What it will be called after the next start; undefined where that is the public one. */
  get nextName(): string | undefined {
    const { next, value } = this.#view
    const file = next ?? value
    return file === '' ? undefined : basename(file, SUFFIX)
  }

  isSame(other: Uint8Array | undefined): boolean {
    if (this.#key === undefined || other === undefined) return this.#key === other
    return timingSafeEqual(this.#key, other)
  }

  /** False where a flag or the environment says which network. */
  get canSwitch(): boolean {
    const { origin } = this.#view
    return origin === 'default' || origin === 'file'
  }

  /** True where the key of a private network of that name is kept here. */
  async isKept(name: string): Promise<boolean> {
    return isNetworkName(name) && (await this.#kept(name)) !== undefined
  }

  /**
   * Makes the key of a new private network for the next start.
   * @throws AppError `invalid_request` for a name that is taken or can't be one, `data_dir_unusable`, `invalid_settings`
   */
  async create(name: string): Promise<void> {
    const taken = name === NO_NETWORK || KNOWN_NETWORKS.some((network) => network.name === name)
    if (!isNetworkName(name) || taken) {
      const why = taken ? `${name} is taken.` : 'Up to 32 small letters, digits and hyphens make a name.'
      throw new AppError('invalid_request', why, { param: 'name' })
    }
    if (await this.isKept(name)) {
      const sentence = `A network called ${name} is kept here already: \`ocf join ${name}\` goes back into it.`
      throw new AppError('invalid_request', sentence, { param: 'name' })
    }
    await this.switchTo(randomBytes(KEY_BYTES), name)
  }

  /** Goes back into a private network whose key is kept, at the next start. @throws AppError `invalid_settings` */
  async switchToKept(name: string): Promise<void> {
    await this.#save(this.#fileOf(name))
  }

  /**
   * Stores the key (0600), called `name` where that is free, and has the next start use it; undefined leads back into the
   * public network.
   * @throws AppError `data_dir_unusable`, `invalid_settings`
   */
  async switchTo(key: Uint8Array | undefined, name?: string): Promise<void> {
    await this.#save(key === undefined ? null : await this.#store(key, name))
  }

  async #store(key: Uint8Array, name: string | undefined): Promise<string> {
    const short = hash('sha256', key, 'hex').slice(0, 8)
    const wanted = name !== undefined && isNetworkName(name) ? name : short
    const kept = await this.#kept(wanted)
    const file = this.#fileOf(
      kept === undefined || timingSafeEqual(kept, key) ? wanted : `${wanted.slice(0, 23)}-${short}`,
    )
    const draft = `${file}.${randomBytes(6).toString('hex')}`
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      await writeFile(draft, `${HEAD}${Buffer.from(key).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true })
      await rename(draft, file)
    } catch (error) {
      await rm(draft, { force: true })
      throw notStored('The network stays the one it is', file, error)
    }
    return file
  }

  async #save(file: string | null): Promise<void> {
    await this.#source.saveAll({ [SETTING]: file, ...(file === null ? {} : { network: null }) })
  }

  get #view(): { value: string; next: string | null; origin: string } {
    const view = this.#source.list().find(({ name }) => name === SETTING)
    return view ?? { value: '', next: null, origin: 'default' }
  }

  readonly #fileOf = (name: string): string => join(this.#dir, `${name}${SUFFIX}`)

  async #kept(name: string): Promise<Uint8Array | undefined> {
    try {
      return await keyIn(this.#fileOf(name))
    } catch {
      return undefined // There is none, or it is no key: then another name is used for a new one.
    }
  }
}

async function keyIn(file: string): Promise<Uint8Array> {
  const text = Buffer.from(await readSwarmKey(file)).toString('utf8')
  return Buffer.from(text.slice(-2 * KEY_BYTES), 'hex')
}
