import type { Dirent } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCodeOf } from '../../base/system-error.js'
import type { SearchBounds } from './place.js'

/** Publisher, model and revision are three; nobody sorts models much deeper. */
const MAX_DEPTH = 6
const MAX_SMALL_FILE_BYTES = 1024 * 1024

/** Why a folder or file is passed over without a word: it is not there, not ours to read, or was taken away meanwhile. */
const PASSED_OVER = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EINVAL', 'EISDIR'])

/** What a folder holds, by name; nothing where it can't be read. */
export async function entriesOf(folder: string): Promise<Dirent[]> {
  return (await orMissing(() => readdir(folder, { withFileTypes: true }))) ?? []
}

/** Every file below `folder` that `wanted` names. Links to folders are not followed, those to files are. */
export async function* filesBelow(
  folder: string,
  wanted: (name: string) => boolean,
  bounds: SearchBounds,
  depth = 0,
): AsyncGenerator<string> {
  const entries = (await entriesOf(folder)).sort((one, other) => (one.name < other.name ? -1 : 1))
  for (const entry of entries) {
    bounds.signal.throwIfAborted()
    bounds.seen()
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (depth < MAX_DEPTH) yield* filesBelow(path, wanted, bounds, depth + 1)
    } else if (wanted(entry.name) && (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path))))) yield path
  }
}

/** By its name a model file that is whole, not one that is still being fetched. */
export function isGguf(name: string): boolean {
  return /\.gguf$/i.test(name)
}

/** Whether there is a file, behind links or not. */
export async function isFile(path: string): Promise<boolean> {
  return (await orMissing(() => stat(path)))?.isFile() === true
}

/** The text of a small file; undefined where there is none to read. */
export async function smallFile(path: string): Promise<string | undefined> {
  const facts = await orMissing(() => stat(path))
  if (facts?.isFile() !== true || facts.size > MAX_SMALL_FILE_BYTES) return undefined
  return orMissing(() => readFile(path, 'utf8'))
}

/** A small JSON file's value; undefined where it is none. */
export async function smallJson(path: string): Promise<unknown> {
  const text = await smallFile(path)
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

async function orMissing<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action()
  } catch (error) {
    if (PASSED_OVER.has(systemCodeOf(error) ?? '')) return undefined
    throw error
  }
}
