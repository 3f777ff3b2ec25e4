import { open, type FileHandle } from 'node:fs/promises'

/** The file ends, or says it goes on, where it should not. */
export class BrokenFile extends Error {
  override readonly name = 'BrokenFile'
}

const CHUNK_BYTES = 256 * 1024

/** Reads a file from its beginning on, never more than `limitBytes` of it. Throws {@link BrokenFile} beyond either end. */
export class ByteSource {
  readonly #file: FileHandle
  readonly #limitBytes: number
  #chunk = Buffer.alloc(0)
  #at = 0
  /** Where in the file the chunk begins. */
  #chunkStart = 0

  private constructor(file: FileHandle, limitBytes: number) {
    this.#file = file
    this.#limitBytes = limitBytes
  }

  /** Opens a file, hands it to `work` and closes it again. */
  static async read<T>(path: string, limitBytes: number, work: (source: ByteSource) => Promise<T>): Promise<T> {
    const file = await open(path, 'r')
    try {
      return await work(new ByteSource(file, limitBytes))
    } finally {
      await file.close()
    }
  }

  /** The next `length` bytes, of use until the next call. */
  async take(length: number): Promise<Buffer> {
    if (this.#at + length > this.#chunk.length) await this.#fill(length)
    const bytes = this.#chunk.subarray(this.#at, this.#at + length)
    this.#at += length
    return bytes
  }

  /** Leaves out `length` bytes. */
  skip(length: number): void {
    this.#checkEnd(length)
    this.#at += length
  }

  async u32(): Promise<number> {
    return (await this.take(4)).readUInt32LE()
  }

  /** A count or length. */
  async u64(): Promise<number> {
    const value = (await this.take(8)).readBigUInt64LE()
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new BrokenFile('a number in it is out of range')
    return Number(value)
  }

  #checkEnd(length: number): void {
    if (this.#chunkStart + this.#at + length > this.#limitBytes) throw new BrokenFile('its header is too long')
  }

  async #fill(length: number): Promise<void> {
    this.#checkEnd(length)
    const start = this.#chunkStart + this.#at
    const chunk = Buffer.alloc(Math.max(length, CHUNK_BYTES))
    const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, start)
    if (bytesRead < length) throw new BrokenFile('it ends too early')
    this.#chunk = chunk.subarray(0, bytesRead)
    this.#chunkStart = start
    this.#at = 0
  }
}
