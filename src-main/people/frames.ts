import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { FrameReader } from '../p2p/index.js'

/** The frames of a stream, each after its length, one at a time. */
export class Frames {
  readonly #stream: Stream
  readonly #reader: FrameReader
  readonly #ready: Uint8Array[] = []
  #wanted: { resolve(frame: Uint8Array): void; reject(error: Error): void } | undefined
  #failure: Error | undefined

  /** `maxFrameBytes`: what one may have, less than 16 KiB. */
  constructor(stream: Stream, maxFrameBytes: number) {
    this.#stream = stream
    this.#reader = new FrameReader(maxFrameBytes)
    stream.addEventListener('message', this.#onMessage)
    stream.addEventListener('end', this.#onEnd)
    stream.addEventListener('close', this.#onEnd)
  }

  /** The next one. Rejects when the stream ends first, or brings something else or more than was asked for. */
  async next(): Promise<Uint8Array> {
    const frame = this.#ready.shift()
    if (frame !== undefined) return frame
    if (this.#failure !== undefined) throw this.#failure
    return await new Promise((resolve, reject) => (this.#wanted = { resolve, reject }))
  }

  send(frame: Uint8Array): void {
    // A frame is shorter than two bytes of a varint tell.
    const length = frame.length < 0x80 ? [frame.length] : [(frame.length & 0x7f) | 0x80, frame.length >> 7]
    this.#stream.send(Buffer.concat([Buffer.from(length), frame]))
  }

  readonly #onMessage = ({ data }: StreamMessageEvent): void => {
    try {
      for (const frame of this.#reader.take(data)) {
        if (this.#wanted === undefined) this.#ready.push(frame)
        else this.#wanted.resolve(frame)
        this.#wanted = undefined
        if (this.#ready.length > 1) throw new Error('more than one message at once')
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error('no message'))
      this.#stream.abort(this.#failure ?? new Error('no message'))
    }
  }

  readonly #onEnd = (): void => this.#fail(new Error('the stream ended'))

  #fail(error: Error): void {
    this.#failure ??= error
    this.#wanted?.reject(this.#failure)
    this.#wanted = undefined
  }
}
