import { BrokenFile, ByteSource } from './byte-source.js'

/** What the header of a GGUF file holds, as far as anything here asks for it. */
export interface GgufHeader {
  version: number
  /** Plain values by key; of arrays only the length (`key[]`). */
  values: ReadonlyMap<string, string | number | boolean>
  /** Weights of all tensors in this file. */
  weights: number
}

/** https://github.com/ggml-org/ggml/blob/master/docs/gguf.md: the types of values, and the bytes of those of one size. */
const FIXED_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
}
const STRING = 8
const ARRAY = 9

/** A vocabulary of 260,000 words with its merges takes some 15 MB. */
const MAX_HEADER_BYTES = 128 * 1024 * 1024
const MAX_VALUES = 4096
const MAX_TENSORS = 65_536
const MAX_KEY_BYTES = 256
const MAX_DIMENSIONS = 4
/** Longer texts are left out; only whether there is a chat template is asked of those. */
const MAX_TEXT_BYTES = 4096

/** Reads the header of a GGUF file. Throws {@link BrokenFile}, or what the file system throws. */
export function readGgufHeader(path: string): Promise<GgufHeader> {
  return ByteSource.read(path, MAX_HEADER_BYTES, async (source) => {
    if ((await source.take(4)).toString('latin1') !== 'GGUF') throw new BrokenFile('it is no GGUF file')
    const version = await source.u32()
    if (version < 2 || version > 3) throw new BrokenFile(`its GGUF version ${version} is not known`)
    const tensors = bounded(await source.u64(), MAX_TENSORS, 'tensors')
    const count = bounded(await source.u64(), MAX_VALUES, 'values')
    const values = new Map<string, string | number | boolean>()
    for (let index = 0; index < count; index += 1) {
      const key = (await source.take(bounded(await source.u64(), MAX_KEY_BYTES, 'characters'))).toString('utf8')
      await readValue(source, await source.u32(), (suffix, value) => values.set(`${key}${suffix}`, value))
    }
    let weights = 0
    for (let index = 0; index < tensors; index += 1) weights += await weightsOfTensor(source)
    return { version, values, weights }
  })
}

function bounded(count: number, most: number, what: string): number {
  if (count > most) throw new BrokenFile(`it says it has ${count} ${what}`)
  return count
}

type Keep = (suffix: string, value: string | number | boolean) => void

async function readValue(source: ByteSource, type: number, keep: Keep): Promise<void> {
  if (type === STRING) {
    const length = await source.u64()
    if (length <= MAX_TEXT_BYTES) keep('', (await source.take(length)).toString('utf8'))
    else {
      source.skip(length)
      keep('', '')
    }
    return
  }
  if (type !== ARRAY) {
    keep('', readFixed(await source.take(sizeOf(type)), type))
    return
  }
  const itemType = await source.u32()
  const length = await source.u64()
  keep('[]', length)
  if (itemType === STRING) for (let index = 0; index < length; index += 1) source.skip(await source.u64())
  // The largest of the layers' numbers stands for all of them.
  else if (length <= MAX_VALUES) {
    let largest = 0
    for (let index = 0; index < length; index += 1) {
      largest = Math.max(largest, Number(readFixed(await source.take(sizeOf(itemType)), itemType)))
    }
    keep('', largest)
  } else source.skip(length * sizeOf(itemType))
}

function sizeOf(type: number): number {
  const size = FIXED_BYTES[type]
  if (size === undefined) throw new BrokenFile(`a value in it has the unknown type ${type}`)
  return size
}

function readFixed(bytes: Buffer, type: number): number | boolean {
  switch (type) {
    case 0:
      return bytes.readUInt8()
    case 1:
      return bytes.readInt8()
    case 2:
      return bytes.readUInt16LE()
    case 3:
      return bytes.readInt16LE()
    case 4:
      return bytes.readUInt32LE()
    case 5:
      return bytes.readInt32LE()
    case 6:
      return bytes.readFloatLE()
    case 7:
      return bytes.readUInt8() !== 0
    case 10:
      return Number(bytes.readBigUInt64LE())
    case 11:
      return Number(bytes.readBigInt64LE())
    default:
      return bytes.readDoubleLE()
  }
}

async function weightsOfTensor(source: ByteSource): Promise<number> {
  source.skip(bounded(await source.u64(), MAX_KEY_BYTES, 'characters'))
  const dimensions = bounded(await source.u32(), MAX_DIMENSIONS, 'dimensions')
  let weights = 1
  for (let index = 0; index < dimensions; index += 1) weights *= await source.u64()
  // Its type and where it stands.
  source.skip(4 + 8)
  if (!Number.isSafeInteger(weights)) throw new BrokenFile('a tensor of it is out of range')
  return weights
}
