import { lstat, readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Check } from '#shared/contract/node/doctor.js'
import { fine, finding } from './check.js'

/** What of the data folder grows by what other nodes do, and the rest. */
type Part = 'node table' | 'peer store' | 'logs' | 'other files'

/** Bytes that the data folder takes, by part, and that its disk has left. */
export interface DiskUse {
  parts: Readonly<Record<Part, number>>
  freeBytes: number
}

const MB = 1e6
/**
 * What a part takes at most: 20,000 rows of 4 KB and what was appended to them, twice, as LevelDB writes them anew; five
 * logs of 10 MB; a ledger and a history of bounded rows.
 */
const MOST_BYTES: Readonly<Record<Part, number>> = {
  'node table': 512 * MB,
  'peer store': 256 * MB,
  logs: 64 * MB,
  'other files': 64 * MB,
}
const NEARLY_ALL = 0.8
/** With less than that, what a node learns is soon not written any more. */
const LITTLE_BYTES = 200 * MB
/** A folder with more files than that is not one of ours. */
const MAX_FILES = 50_000

/** What a data folder takes now, or `undefined` when it can't be read. */
export async function readDiskUse(dataDir: string): Promise<DiskUse | undefined> {
  try {
    const parts = { 'node table': 0, 'peer store': 0, logs: 0, 'other files': 0 }
    const entries = await readdir(dataDir, { recursive: true, withFileTypes: true })
    for (const entry of entries.slice(0, MAX_FILES)) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      const [top = ''] = path.slice(join(dataDir, '/').length).split(/[/\\]/)
      // LevelDB removes files while they are counted.
      const sizeBytes = await lstat(path).then(
        ({ size }) => size,
        () => 0,
      )
      parts[partOf(top)] += sizeBytes
    }
    const { bavail, bsize } = await statfs(dataDir)
    return { parts, freeBytes: bavail * bsize }
  } catch {
    return undefined // What is wrong with the folder is said by the check of it.
  }
}

/** Ones that were moved aside belong to what they were. */
function partOf(name: string): Part {
  if (name.startsWith('table')) return 'node table'
  if (name.startsWith('peers')) return 'peer store'
  return name === 'logs' ? 'logs' : 'other files'
}

/** What the data folder takes, and whether a part of it or the disk is nearly full. */
export function checkDiskUse(use: DiskUse | undefined): Check {
  const id = 'disk-use'
  if (use === undefined) {
    return finding(id, 'unknown', {
      fact: 'The size of the data folder is not known.',
      meaning: 'It has not been read yet, or it can’t be.',
    })
  }
  const parts = Object.entries(use.parts) as [Part, number][]
  const list = parts.map(([part, bytes]) => `${part} ${megabytes(bytes)}`).join(', ')
  const fact = `The data folder takes ${megabytes(parts.reduce((sum, [, bytes]) => sum + bytes, 0))}: ${list}.`
  if (use.freeBytes < LITTLE_BYTES) {
    return finding(id, 'warn', {
      fact: `${fact} Its disk has ${megabytes(use.freeBytes)} left.`,
      meaning: 'On a full disk the node keeps running, but stores less of what it learns.',
      fix: 'Make room on the disk, or move the folder with --data-dir.',
    })
  }
  const [full] = parts.filter(([part, bytes]) => bytes > MOST_BYTES[part] * NEARLY_ALL)
  if (full === undefined) return fine(id, fact, 'Each part of it is bounded, whatever other nodes do.')
  const [part] = full
  return finding(id, 'warn', {
    fact: `${fact} For the ${part}, ${megabytes(MOST_BYTES[part])} is the most.`,
    meaning: 'That much is unusual: a node somewhere may be filling it.',
    fix: 'Stop the node and start it with --cleanslate, which removes what it learned from the network, and kept chats.',
  })
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / MB)} MB`
