import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { cachedDataVersionTag } from 'node:v8'
import { Script } from 'node:vm'
import { crc32 } from 'node:zlib'

/** How much of a program was compiled when it was kept: what a start needs, or what requests need as well. */
export const COMPILED = { start: 1, requests: 2 } as const
export type Compiled = (typeof COMPILED)[keyof typeof COMPILED]

/** The program in one file, and what V8 has compiled of it. */
export interface WholeProgram {
  /** Runs it and gives what it exports. */
  run(): unknown
  /** What of an earlier life was taken: one of {@link COMPILED}, or 0. */
  readonly compiled: number
  /** Writes what is compiled by now for the next start, where no more is kept yet. Never throws. */
  keep(compiled: Compiled): void
}

/** What the file's code finds in place of a module's own. */
interface Surroundings {
  /** The folder for what was compiled. */
  cacheDir: string
  importMeta: ImportMeta
}

/**
 * Before the compiled code: its checksum, its length, and how much it is of. V8 looks at neither its bytes nor those of the
 * source.
 */
const HEADER_BYTES = 16
/** Of several versions, and of one under several versions of Node. */
const MAX_KEPT = 3
const SUFFIX = '.compiled'

/**
 * Reads a program that the build has put into one file, a function of `require` and `importMeta`. In contrast to what Node
 * keeps of modules, which is what is compiled before they run, the compiled code can be taken when they have: with each
 * function that was called. Undefined where there is no such file.
 */
export function readWholeProgram(file: string, { cacheDir, importMeta }: Surroundings): WholeProgram | undefined {
  const tag = cachedDataVersionTag()
  const source = readSource(file, tag)
  if (source === undefined) return undefined
  const path = join(cacheDir, source.name)
  const { script, taken } = compile(file, source.text, readCompiled(path))
  let kept: number = taken
  return {
    run() {
      const program = script.runInThisContext() as (require: NodeJS.Require, importMeta: ImportMeta) => unknown
      return program(createRequire(file), importMeta)
    },
    compiled: taken,
    keep(compiled) {
      // V8 takes code only under the flags that it was compiled with.
      if (compiled <= kept || cachedDataVersionTag() !== tag) return
      kept = compiled
      try {
        writeCompiled(path, compiled, script.createCachedData())
        dropOldest(cacheDir)
      } catch {
        // No room or no right: the next start compiles again, and nothing else is different.
      }
    },
  }
}

/** The text, and the name under which its compiled code is kept. Both files are large: nothing keeps their bytes. */
function readSource(file: string, tag: number): { text: string; name: string } | undefined {
  const bytes = readIfThere(file)
  if (bytes === undefined) return undefined
  const name = [bytes.byteLength, crc32(bytes), tag].map((part) => part.toString(36)).join('-') + SUFFIX
  // The build writes ASCII: one byte a character, in the file as in memory.
  return { text: bytes.toString('latin1'), name }
}

function compile(file: string, text: string, kept: Kept | undefined): { script: Script; taken: number } {
  const script = new Script(text, { filename: file, ...(kept === undefined ? {} : { cachedData: kept.code }) })
  return { script, taken: kept !== undefined && script.cachedDataRejected === false ? kept.compiled : 0 }
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

interface Kept {
  code: Buffer
  compiled: number
}

/** Undefined where there is none, or where it is not what was written. */
function readCompiled(file: string): Kept | undefined {
  const bytes = readIfThere(file)
  if (bytes === undefined || bytes.byteLength < HEADER_BYTES) return undefined
  const code = bytes.subarray(HEADER_BYTES)
  if (bytes.readUInt32LE(4) !== code.byteLength || bytes.readUInt32LE(0) !== crc32(code)) return undefined
  return { code, compiled: bytes.readUInt32LE(8) }
}

function writeCompiled(file: string, compiled: number, code: Buffer): void {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32LE(crc32(code), 0)
  header.writeUInt32LE(code.byteLength, 4)
  header.writeUInt32LE(compiled, 8)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, Buffer.concat([header, code]), { mode: 0o600 })
  renameSync(temporary, file)
}

function dropOldest(dir: string): void {
  const files = readdirSync(dir).map((name) => join(dir, name))
  const newestFirst = files
    .map((file) => ({ file, writtenAtMs: statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.writtenAtMs - a.writtenAtMs)
  for (const { file } of newestFirst.slice(MAX_KEPT)) rmSync(file, { force: true })
}
