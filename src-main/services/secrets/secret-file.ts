import { rename } from 'node:fs/promises'
import { z } from 'zod'
import { AppError } from '#shared/errors.js'
import { readJsonFile, writeJsonFile } from '../../base/json-file.js'
import type { Log } from '../../logging/index.js'
import { createSealing } from './sealing.js'
import type { SecretStore, Vault } from './index.js'

/** A value as it is, or sealed by a key store (base64). */
const ValueSchema = z.union([z.string().max(4096), z.strictObject({ sealed: z.base64().max(16_384) })])
const FileSchema = z.record(z.string().max(512), ValueSchema)
type Value = z.output<typeof ValueSchema>

/** What the file of secrets stands on. */
export interface SecretFileNeeds {
  log: Log
  /** The system's key store, where a program has one. */
  vault?: Vault
  /** Called once when a secret lies in the file as it is although there is a vault, with the reason. */
  onPlain?: (why: string) => void
}

/**
 * Secrets in a file with mode 0600, sealed where there is a key store that can. What lies there as it is gets sealed at the
 * first use; what can't be opened stays, and a file that can't be understood is put aside before a new one is written.
 */
export function createSecretFile(needs: SecretFileNeeds, options: { file: string }): SecretStore {
  const { file } = options
  const log = needs.log.forComponent('secrets')
  const sealing = createSealing({ log, vault: needs.vault, onPlain: needs.onPlain })
  /** One change after the other. */
  let last: Promise<unknown> = Promise.resolve()
  let sealedOld: Promise<boolean> | undefined

  async function read(): Promise<{ values: Map<string, Value>; isBroken: boolean }> {
    const content = await readJsonFile(file, FileSchema)
    if (content.kind === 'broken') {
      log.warn('the file with the servers’ keys cannot be understood', { file, reason: content.reason })
    }
    const values = new Map(Object.entries(content.kind === 'read' ? content.value : {}))
    return { values, isBroken: content.kind === 'broken' }
  }

  /** Writes only what `apply` says has changed. */
  function change(apply: (values: Map<string, Value>) => Promise<boolean>): Promise<void> {
    const done = last.then(async () => {
      const { values, isBroken } = await read()
      if (!(await apply(values))) return
      if (isBroken) await rename(file, `${file}.damaged`)
      await writeJsonFile(file, Object.fromEntries(values))
    })
    last = done.catch(() => undefined) // The caller hears of it; the next one is not held up.
    return done
  }

  const put = (name: string, text: string): Promise<void> =>
    change(async (values) => {
      values.set(name, await sealing.seal(text))
      return true
    })

  /** Those of earlier versions, of the program without a window, and of times without a key store. */
  async function sealOld(): Promise<void> {
    await change(async (values) => {
      let count = 0
      for (const [name, value] of values) {
        if (typeof value !== 'string') continue
        const sealed = await sealing.seal(value)
        if (typeof sealed === 'string') return false
        values.set(name, sealed)
        count += 1
      }
      if (count > 0) log.info('keys are now sealed by the system’s key store', { count })
      return count > 0
    })
  }

  /** What could not be sealed anew stays as it is and can be read all the same. */
  async function orStay(sealing: Promise<void>): Promise<boolean> {
    try {
      await sealing
      return true
    } catch (error) {
      log.warn('keys could not be sealed anew and stay as they are', { file, error })
      return false
    }
  }

  async function get(name: string): Promise<string | undefined> {
    sealedOld ??= orStay(sealOld())
    if (!(await sealedOld)) sealedOld = undefined
    const value = (await read()).values.get(name)
    if (value === undefined || typeof value === 'string') return value
    const opened = await sealing.open(value).catch((error: unknown): never => {
      throw new AppError('secret_unreadable', unreadable(name, needs.vault !== undefined), { cause: error })
    })
    if (opened.isStale) await orStay(put(name, opened.text))
    return opened.text
  }

  return {
    get,
    set: put,
    async isSealed(name) {
      const value = (await read()).values.get(name)
      return value !== undefined && typeof value !== 'string'
    },
    remove: (name) => change((values) => Promise.resolve(values.delete(name))),
  }
}

function unreadable(name: string, hasVault: boolean): string {
  const what = `The kept key “${name}” cannot be opened`
  return hasVault
    ? `${what}: the system’s key store is locked or is not the one that sealed it. Unlock it and start again, or type the key in again.`
    : `${what}: it was sealed by the desktop app, and only that can open it. Start the desktop app, or type the key in again.`
}
