import { closeSync, copyFileSync, mkdirSync, openSync, readSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** One file of an archive. */
export interface AsarFile {
  path: string
  sizeBytes: number
  /** It lies beside the archive and not in it. */
  isUnpacked: boolean
  /** From the beginning of the archive. */
  offset: number
}

interface Entry {
  files?: Record<string, Entry>
  size?: number
  offset?: string
  unpacked?: boolean
  link?: string
}

/** The files of an asar archive: a length, a JSON header, and the contents one behind the other. */
export function listAsar(archive: string): AsarFile[] {
  const file = openSync(archive, 'r')
  try {
    const sizes = read(file, 0, 16)
    const contentsAt = 8 + sizes.readUInt32LE(4)
    const header = JSON.parse(read(file, 16, sizes.readUInt32LE(12)).toString('utf8')) as Entry
    const found: AsarFile[] = []
    const walk = (entry: Entry, path: string): void => {
      for (const [name, child] of Object.entries(entry.files ?? {})) {
        const childPath = path === '' ? name : `${path}/${name}`
        if (child.files !== undefined) walk(child, childPath)
        else if (child.link === undefined) {
          found.push({
            path: childPath,
            sizeBytes: child.size ?? 0,
            isUnpacked: child.unpacked === true,
            offset: contentsAt + Number(child.offset ?? 0),
          })
        }
      }
    }
    walk(header, '')
    return found
  } finally {
    closeSync(file)
  }
}

/** Puts the files of an archive, and those beside it, into a folder. */
export function extractAsar(archive: string, dir: string): void {
  const file = openSync(archive, 'r')
  try {
    for (const { path, sizeBytes, isUnpacked, offset } of listAsar(archive)) {
      const target = join(dir, path)
      mkdirSync(dirname(target), { recursive: true })
      if (isUnpacked) copyFileSync(join(`${archive}.unpacked`, path), target)
      else writeFileSync(target, read(file, offset, sizeBytes))
    }
  } finally {
    closeSync(file)
  }
}

/** What the packed program takes on the disk. */
export function sizeOf(archive: string): { packedBytes: number; unpackedBytes: number } {
  const unpacked = listAsar(archive).filter(({ isUnpacked }) => isUnpacked)
  return {
    packedBytes: statSync(archive).size,
    unpackedBytes: unpacked.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  }
}

function read(file: number, at: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  readSync(file, buffer, 0, length, at)
  return buffer
}
