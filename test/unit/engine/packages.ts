import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Pin } from '../../../src-main/engine/install/pinned-packages.js'

/** A file as tar has it. */
export function entry(name: string, content: string, type = '0'): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write('0000644\0', 100)
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write(type, 156)
  header.write('ustar\x0000', 257)
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512)
  body.write(content)
  return Buffer.concat([header, body])
}

/** A packed package of such files. */
export const pack = (...entries: Buffer[]): Buffer =>
  gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]), { level: 0 })

/** A pin that this content fits. */
export const pinOf = (folder: string, content: Buffer): Pin => [
  ...([folder, '1.0.0', `sha512-${createHash('sha512').update(content).digest('base64')}`] as const),
  content.length,
]
