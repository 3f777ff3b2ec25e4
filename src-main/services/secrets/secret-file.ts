import { z } from 'zod'
import type { Log } from '../../logging/index.js'
import { readJsonFile, writeJsonFile } from '../json-file.js'
import type { SecretStore } from './index.js'

const FileSchema = z.record(z.string().max(512), z.string().max(4096))

/** Secrets in a file with mode 0600: for machines without a key store. A file that can't be understood is not touched. */
export function createSecretFile(needs: { log: Log }, options: { file: string }): SecretStore {
  const log = needs.log.forComponent('secrets')
  /** One change after the other. */
  let last: Promise<unknown> = Promise.resolve()

  async function read(): Promise<Record<string, string>> {
    const content = await readJsonFile(options.file, FileSchema)
    if (content.kind === 'broken') {
      log.warn('the file with the servers’ keys cannot be understood', { file: options.file, reason: content.reason })
    }
    return content.kind === 'read' ? content.value : {}
  }

  function change(apply: (secrets: Map<string, string>) => void): Promise<void> {
    const done = last.then(async () => {
      const secrets = new Map(Object.entries(await read()))
      apply(secrets)
      await writeJsonFile(options.file, Object.fromEntries(secrets))
    })
    last = done.catch(() => undefined) // Whoever asked for the change is told; the next one is not held up.
    return done
  }

  return {
    get: async (name) => {
      const secrets = await read()
      return Object.hasOwn(secrets, name) ? secrets[name] : undefined
    },
    set: (name, value) => change((secrets) => secrets.set(name, value)),
    remove: (name) => change((secrets) => secrets.delete(name)),
  }
}
