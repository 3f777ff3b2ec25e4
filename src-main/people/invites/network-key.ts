import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { notStored } from '../../base/not-stored.js'
import type { LiveSettings } from '../../config/index.js'
import { readSwarmKey } from '../../p2p/index.js'

const SETTING = 'swarm-key'
const HEAD = '/key/swarm/psk/1.0.0/\n/base16/\n'

/** Which network this node runs in, and the way into another one at its next start. */
export class NetworkKey {
  readonly #source: LiveSettings['source']
  readonly #dataDir: string
  readonly #file: string
  #key: Uint8Array | undefined

  constructor(live: Pick<LiveSettings, 'current' | 'source'>, options: { dataDir: string }) {
    this.#source = live.source
    this.#file = live.current[SETTING]
    this.#dataDir = options.dataDir
  }

  /** Reads the key in force. @throws AppError `invalid_settings` */
  async load(): Promise<void> {
    if (this.#file === '') return
    const text = Buffer.from(await readSwarmKey(this.#file)).toString('utf8')
    this.#key = Buffer.from(text.slice(-64), 'hex')
  }

  /** The 32 bytes of a private network's key; undefined in the public one. */
  get key(): Uint8Array | undefined {
    return this.#key
  }

  isSame(other: Uint8Array | undefined): boolean {
    if (this.#key === undefined || other === undefined) return this.#key === other
    return timingSafeEqual(this.#key, other)
  }

  /** False where a flag or the environment says which network. */
  get canSwitch(): boolean {
    const origin = this.#source.list().find(({ name }) => name === SETTING)?.origin
    return origin === 'default' || origin === 'file'
  }

  /** Stores the key (0600) and has the next start use it. @throws AppError `data_dir_unusable`, `invalid_settings` */
  async switchTo(key: Uint8Array | undefined): Promise<void> {
    if (key === undefined) {
      await this.#source.save(SETTING, null)
      return
    }
    const file = join(this.#dataDir, `network-${hash('sha256', key, 'hex').slice(0, 8)}.key`)
    const draft = `${file}.${randomBytes(6).toString('hex')}`
    try {
      await writeFile(draft, `${HEAD}${Buffer.from(key).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true })
      await rename(draft, file)
    } catch (error) {
      await rm(draft, { force: true })
      throw notStored('The network stays the one it is', file, error)
    }
    await this.#source.save(SETTING, file)
  }
}
