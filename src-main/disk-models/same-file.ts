import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

const SAMPLES = 64
const SAMPLE_BYTES = 64 * 1024

/**
 * A fingerprint of a large file: SHA-256 of its length and of 64 pieces of 64 KiB spread over it, both ends included.
 * Weights differ everywhere between two models, so two files with one fingerprint are taken for copies.
 */
export async function fingerprintOf(path: string, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256').update(`${sizeBytes}\n`)
  const file = await open(path, 'r')
  try {
    const piece = Buffer.alloc(SAMPLE_BYTES)
    const last = Math.max(0, sizeBytes - SAMPLE_BYTES)
    for (let index = 0; index < SAMPLES; index += 1) {
      const { bytesRead } = await file.read(piece, 0, SAMPLE_BYTES, Math.floor((last * index) / (SAMPLES - 1)))
      hash.update(piece.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}
