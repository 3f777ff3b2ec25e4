import { statSync } from 'node:fs'
import { getRawHeader } from '@electron/asar'

/** One file of an archive. */
export interface AsarFile {
  path: string
  sizeBytes: number
  /** It lies beside the archive and not in it. */
  isUnpacked: boolean
}

/** The entries of an archive's header, as the packager's own code reads them. */
interface Entry {
  files?: Record<string, Entry>
  size?: number
  unpacked?: boolean
  link?: string
}

/** The files of an asar archive. */
export function listAsar(archive: string): AsarFile[] {
  const found: AsarFile[] = []
  const walk = (entry: Entry, path: string): void => {
    for (const [name, child] of Object.entries(entry.files ?? {})) {
      const childPath = path === '' ? name : `${path}/${name}`
      if (child.files !== undefined) walk(child, childPath)
      else if (child.link === undefined) {
        found.push({ path: childPath, sizeBytes: child.size ?? 0, isUnpacked: child.unpacked === true })
      }
    }
  }
  walk(getRawHeader(archive).header, '')
  return found
}

/** What the packed program takes on the disk. */
export function sizeOf(archive: string): { packedBytes: number; unpackedBytes: number } {
  const unpacked = listAsar(archive).filter(({ isUnpacked }) => isUnpacked)
  return {
    packedBytes: statSync(archive).size,
    unpackedBytes: unpacked.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  }
}
