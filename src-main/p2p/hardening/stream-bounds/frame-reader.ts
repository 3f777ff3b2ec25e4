// For @libp2p/kad-dht 16.4.5, @libp2p/gossipsub 17.1.1 and @libp2p/identify 4.1.14: they parse whatever comes, up to the
// 4 MiB of a frame, and say nothing of it before. Goes when each has an option for what a message may hold.

import { Uint8ArrayList } from 'uint8arraylist'

/** What a peer sent is longer or of another form than what is agreed on; its stream has to end. */
export class BadFrameError extends Error {
  override name = 'BadFrameError'
}

/** A length of 28 bits; no frame is longer. */
const MAX_PREFIX_BYTES = 4

/** Cuts what comes in on a stream into its frames, each after its length as a varint. */
export class FrameReader {
  readonly #held = new Uint8ArrayList()
  readonly #maxFrameBytes: number
  #length: number | undefined

  /** `maxFrameBytes`: what one frame may have. */
  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** The frames that are complete with these bytes. Throws {@link BadFrameError} as soon as a length is too long. */
  take(data: Uint8Array | Uint8ArrayList): Uint8Array[] {
    this.#held.append(data)
    const frames: Uint8Array[] = []
    for (;;) {
      this.#length ??= this.#takeLength()
      if (this.#length === undefined || this.#held.byteLength < this.#length) return frames
      frames.push(this.#held.subarray(0, this.#length))
      this.#held.consume(this.#length)
      this.#length = undefined
    }
  }

  #takeLength(): number | undefined {
    let length = 0
    const readable = Math.min(this.#held.byteLength, MAX_PREFIX_BYTES)
    for (let index = 0; index < readable; index += 1) {
      const byte = this.#held.get(index)
      length += (byte & 0x7f) * 2 ** (7 * index)
      if (length > this.#maxFrameBytes) throw new BadFrameError('a message that is too long')
      if (byte >= 0x80) continue
      this.#held.consume(index + 1)
      return length
    }
    if (readable === MAX_PREFIX_BYTES) throw new BadFrameError('a length that is none')
    return undefined
  }
}
