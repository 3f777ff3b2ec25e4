import { createReadStream } from 'node:fs'
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { InstallProblem } from './download.js'

const BLOCK = 512
/** The largest build has 700 MB; a package that unpacks to more is none of them. */
const MAX_BYTES = 2 * 1024 ** 3
const MAX_FILES = 20_000
const MAX_NAME_BYTES = 4096

/** What nothing here reads: types and maps for those who write programs. */
const LEFT_OUT = /\.(?:d\.[cm]?ts|map|md|markdown)$/i

/**
 * Unpacks an npm package (a gzipped tar whose files lie in one folder) into `dir`. Only plain files are taken, and only
 * below `dir`. Resolves with the bytes written.
 */
export async function unpackPackage(path: string, dir: string, signal: AbortSignal): Promise<number> {
  const source = createReadStream(path)
  const unzipped = createGunzip()
  // What goes wrong with the file is told by what is read of it.
  pipeline(source, unzipped, () => undefined)
  try {
    return await unpackTar(new TarReader(unzipped), dir, signal)
  } finally {
    source.destroy()
    unzipped.destroy()
  }
}

async function unpackTar(reader: TarReader, dir: string, signal: AbortSignal): Promise<number> {
  let written = 0
  let files = 0
  let longName: string | undefined
  for (;;) {
    signal.throwIfAborted()
    const header = await reader.take(BLOCK)
    if (header === undefined || header.every((byte) => byte === 0)) break
    const { name, size, type, isExecutable } = readEntry(header)
    const padded = Math.ceil(size / BLOCK) * BLOCK
    if (type === 'x' || type === 'L') {
      if (size > MAX_NAME_BYTES) throw new InstallProblem('A package has a name that is too long.')
      const text = ((await reader.take(padded)) ?? Buffer.alloc(0)).subarray(0, size).toString('utf8')
      longName = type === 'L' ? text.replace(/\0.*$/s, '') : (/\d+ path=(.*)\n/.exec(text)?.[1] ?? longName)
      continue
    }
    const target = targetOf(longName ?? name)
    longName = undefined
    if (type === '5' || type === 'g' || LEFT_OUT.test(target)) {
      await reader.skip(padded)
      continue
    }
    if (type !== '0' && type !== '\0') throw new InstallProblem('A package holds something other than files.')
    files += 1
    written += size
    if (written > MAX_BYTES || files > MAX_FILES) throw new InstallProblem('A package is larger than it should be.')
    const file = join(dir, target)
    await mkdir(dirname(file), { recursive: true })
    const handle = await open(file, 'w', isExecutable ? 0o755 : 0o644)
    try {
      await reader.copy(size, padded, handle)
    } finally {
      await handle.close()
    }
  }
  return written
}

interface Entry {
  name: string
  size: number
  type: string
  isExecutable: boolean
}

/** A header of ustar. */
function readEntry(header: Buffer): Entry {
  const text = (start: number, length: number): string => {
    const bytes = header.subarray(start, start + length)
    const end = bytes.indexOf(0)
    return bytes.subarray(0, end === -1 ? length : end).toString('utf8')
  }
  const size = Number.parseInt(text(124, 12).trim() || '0', 8)
  const mode = Number.parseInt(text(100, 8).trim() || '0', 8)
  if (!Number.isSafeInteger(size) || size < 0 || size > MAX_BYTES) throw new InstallProblem('A package is damaged.')
  const prefix = text(257, 5) === 'ustar' ? text(345, 155) : ''
  const name = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`
  return { name, size, type: text(156, 1) || '\0', isExecutable: (mode & 0o111) !== 0 }
}

/** The path without the folder that every package has around it. Throws for one that leads elsewhere. */
function targetOf(name: string): string {
  const [, ...parts] = name.replaceAll('\\', '/').split('/')
  const isOdd = parts.some((part) => part === '..' || part.includes(':') || part.includes('\0'))
  if (isOdd || name.startsWith('/')) throw new InstallProblem('A package holds a path that leads out of it.')
  return parts.filter((part) => part !== '' && part !== '.').join('/')
}

/** Reads pieces of a stream as they are asked for. */
class TarReader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  /** So many bytes; undefined where the stream ends before the first of them. */
  async take(length: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = []
    let have = 0
    while (have < length) {
      const part = await this.#next(length - have)
      if (part === undefined) {
        if (have === 0) return undefined
        throw new InstallProblem('A package ends too early.')
      }
      parts.push(part)
      have += part.length
    }
    return Buffer.concat(parts)
  }

  async skip(length: number): Promise<void> {
    await this.copy(0, length, undefined)
  }

  /** Writes `size` bytes and leaves out the rest of `padded`. */
  async copy(size: number, padded: number, file: FileHandle | undefined): Promise<void> {
    for (let at = 0; at < padded;) {
      const part = await this.#next(padded - at)
      if (part === undefined) throw new InstallProblem('A package ends too early.')
      const wanted = part.subarray(0, Math.max(0, size - at))
      if (file !== undefined && wanted.length > 0) await file.writeFile(wanted)
      at += part.length
    }
  }

  async #next(most: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next()
      if (next.done === true) return undefined
      this.#rest = next.value
    }
    const part = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(part.length)
    return part
  }
}
