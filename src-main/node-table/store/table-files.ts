import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createByteReader } from '../wire/bytes.js'

/** A stretch of a LevelDB table file; behind it stand its type (1 byte) and its checksum (4). */
interface Block {
  offset: number
  size: number
}

const FOOTER_BYTES = 48
const MAGIC = 0xdb4775248b80fb57n
const TRAILER_BYTES = 5
const UNCOMPRESSED = 0
const CASTAGNOLI = 0x82f63b78

/**
 * The first table file in a LevelDB folder whose checksums don't match; undefined when all do. LevelDB itself does not
 * look at them when it reads, and ends the process over what it then finds.
 */
export async function damagedTableFile(folder: string): Promise<string | undefined> {
  for (const name of (await readdir(folder)).filter((file) => /\.(ldb|sst)$/.test(file))) {
    if (!isTableFileSound(await readFile(join(folder, name)))) return name
  }
  return undefined
}

/** Do all blocks of a LevelDB table file have the checksums they were written with? Never throws. */
export function isTableFileSound(file: Uint8Array): boolean {
  if (file.byteLength < FOOTER_BYTES) return false
  const footer = file.subarray(-FOOTER_BYTES)
  if (new DataView(footer.buffer, footer.byteOffset).getBigUint64(FOOTER_BYTES - 8, true) !== MAGIC) return false
  const reader = createByteReader(footer)
  const metaindex = { offset: reader.varUint(), size: reader.varUint() }
  const index = { offset: reader.varUint(), size: reader.varUint() }
  if (reader.hasFailed() || !isBlockSound(file, metaindex) || !isBlockSound(file, index)) return false
  // An index that was written compressed is not read here; its own checksum has been looked at.
  if (file[index.offset + index.size] !== UNCOMPRESSED) return true
  return (
    blocksOf(file.subarray(index.offset, index.offset + index.size))?.every((block) => isBlockSound(file, block)) ??
    false
  )
}

/** The blocks an index block names. */
function blocksOf(index: Uint8Array): Block[] | undefined {
  if (index.byteLength < 4) return undefined
  const restarts = new DataView(index.buffer, index.byteOffset, index.byteLength).getUint32(index.byteLength - 4, true)
  const end = index.byteLength - 4 - 4 * restarts
  if (end < 0) return undefined
  const reader = createByteReader(index.subarray(0, end))
  const blocks: Block[] = []
  while (!reader.isAtEnd() && !reader.hasFailed()) {
    reader.varUint() // bytes of the key that it shares with the one before
    const keyBytes = reader.varUint()
    const valueBytes = reader.varUint()
    reader.take(keyBytes)
    const value = createByteReader(reader.take(valueBytes))
    blocks.push({ offset: value.varUint(), size: value.varUint() })
  }
  return reader.hasFailed() ? undefined : blocks
}

function isBlockSound(file: Uint8Array, { offset, size }: Block): boolean {
  if (offset + size + TRAILER_BYTES > file.byteLength - FOOTER_BYTES) return false
  const stored = new DataView(file.buffer, file.byteOffset).getUint32(offset + size + 1, true)
  return masked(crc32c(file.subarray(offset, offset + size + 1))) === stored
}

/** How LevelDB stores a checksum, so that one of data with checksums in it is none. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1
  return crc
})

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0)
  return (crc ^ 0xffffffff) >>> 0
}
