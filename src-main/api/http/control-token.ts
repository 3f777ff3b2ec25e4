import { randomBytes } from 'node:crypto'
import { lstat, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readJsonFile, writeJsonFile } from '../../base/json-file.js'
import type { Log } from '../../logging/index.js'

const BYTES = 32
const FileSchema = z.strictObject({ token: z.string().regex(/^[\w-]{43}$/) })

/**
 * The secret that opens the control interface: 32 random bytes in `control-token.json` of the data folder, for its owner
 * only. It lasts over restarts, so that an open page or a bookmark goes on working, until it is replaced.
 */
export class ControlToken {
  readonly #log: Log
  readonly #file: string
  #value = newToken()

  constructor(needs: { log: Log }, options: { dataDir: string }) {
    this.#log = needs.log
    this.#file = join(options.dataDir, 'control-token.json')
  }

  /** What a caller has to show; the kept one only once {@link load} has resolved. */
  get value(): string {
    return this.#value
  }

  /** Takes the kept token, or makes and keeps a new one where there is none or it cannot be trusted. */
  async load(): Promise<void> {
    const kept = await this.#read()
    if (typeof kept === 'string') {
      this.#value = kept
      return
    }
    if (kept !== undefined) {
      const fields = { file: this.#file, reason: kept.distrust }
      this.#log.warn('the token of the control interface cannot be used, so there is a new one: see `ocf open`', fields)
    }
    await this.replace()
  }

  /** Makes a new token; the one before no longer opens anything once this has resolved. */
  async replace(): Promise<void> {
    const next = newToken()
    await writeJsonFile(this.#file, { token: next })
    this.#value = next
  }

  async #read(): Promise<string | { distrust: string } | undefined> {
    const facts = await lstat(this.#file).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    if (facts === undefined) return undefined
    if (!facts.isFile()) {
      await rename(this.#file, `${this.#file}.${randomBytes(6).toString('hex')}`)
      return { distrust: 'it is not a file' }
    }
    if (process.platform !== 'win32' && (facts.mode & 0o077) !== 0) return { distrust: 'others could read it' }
    try {
      const content = await readJsonFile(this.#file, FileSchema)
      return content.kind === 'read' ? content.value.token : { distrust: 'it is damaged' }
    } catch (error) {
      return { distrust: error instanceof Error ? error.message : String(error) }
    }
  }
}

function newToken(): string {
  return randomBytes(BYTES).toString('base64url')
}
