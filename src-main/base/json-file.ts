import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { z } from 'zod'

/** What a file held: nothing, what it should, or something else. */
export type JsonFileContent<T> = { kind: 'missing' } | { kind: 'read'; value: T } | { kind: 'broken'; reason: string }

/** Reads and validates a JSON file. Rejects only when the file system does. */
export async function readJsonFile<S extends z.ZodType>(
  path: string,
  schema: S,
): Promise<JsonFileContent<z.output<S>>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'missing' }
    throw error
  }
  try {
    const parsed = schema.safeParse(JSON.parse(text))
    return parsed.success
      ? { kind: 'read', value: parsed.data }
      : { kind: 'broken', reason: parsed.error.issues[0]?.message ?? 'invalid' }
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'broken', reason: 'it is no JSON' }
    throw error
  }
}

/** Writes a JSON file for its owner alone (0600): a reader sees the old one or the new one, never half of it. */
export async function writeJsonFile(path: string, value: unknown, { indent = 2 } = {}): Promise<void> {
  await writePrivateFile(path, `${JSON.stringify(value, null, indent)}\n`)
}

/** The same for any content. What a crash leaves half written is called `<path>.<hex digits>`. */
export async function writePrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await writeFile(draft, content, { mode: 0o600, flag: 'wx', flush: true })
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
