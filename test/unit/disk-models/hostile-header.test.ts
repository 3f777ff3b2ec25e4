import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BrokenFile } from '../../../src-main/disk-models/gguf/byte-source.js'
import { factsOfHeader } from '../../../src-main/disk-models/gguf/facts.js'
import { readGgufHeader } from '../../../src-main/disk-models/gguf/header.js'
import { tinyModel } from '../../engine/gguf.js'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ocf-gguf-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** The facts of a file with that content, or `broken`. */
async function read(content: Buffer): Promise<unknown> {
  const path = join(dir, 'model.gguf')
  await writeFile(path, content)
  try {
    return factsOfHeader(await readGgufHeader(path))
  } catch (error) {
    if (error instanceof BrokenFile) return 'broken'
    throw error
  }
}

const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}
const head = (tensors: bigint, values: bigint): Buffer =>
  Buffer.concat([Buffer.from('GGUF\x03\0\0\0', 'latin1'), u64(tensors), u64(values)])

test.each([
  ['more tensors than any model has', head(2n ** 40n, 0n)],
  ['more values than any header has', head(0n, 2n ** 40n)],
  ['a key of four gigabytes', Buffer.concat([head(0n, 1n), u64(2n ** 32n)])],
  [
    'an array that is longer than the file',
    Buffer.concat([head(0n, 1n), u64(1n), Buffer.from('k\x09\0\0\0\x08\0\0\0', 'latin1'), u64(2n ** 52n)]),
  ],
  ['a value of an unknown type', Buffer.concat([head(0n, 1n), u64(1n), Buffer.from('k\x63\0\0\0', 'latin1')])],
])('a header with %s is refused', async (_what, content) => {
  expect(await read(content)).toBe('broken')
})

test('whatever is changed in a header, it is read or refused, and its labels stay printable', async () => {
  const whole = tinyModel().subarray(0, 12_000)
  await fc.assert(
    fc.asyncProperty(fc.nat(4000), fc.uint8Array({ minLength: 1, maxLength: 16 }), async (at, bytes) => {
      const content = Buffer.from(whole)
      content.set(bytes, at)
      const facts = await read(content)
      expect(JSON.stringify(facts)).not.toMatch(/\\u00[01]/)
    }),
    { numRuns: 150 },
  )
})
