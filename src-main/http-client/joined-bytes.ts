import type { BodyReader } from './response-reader.js'

/** Spare room behind bytes that wait, at most. */
const MAX_SPARE_BYTES = 64 * 1024

/** Joins bytes that wait to those that come, so that a head of which each byte comes alone is not copied for each. */
export class WaitingBytes {
  #room = Buffer.alloc(0)
  #end = 0

  /** `held` with `chunk` behind it. What was joined before stays as it is. */
  joined(held: Buffer, chunk: Buffer): Buffer {
    const length = held.length + chunk.length
    const { buffer, byteOffset } = this.#room
    const isHere = held.buffer === buffer && held.byteOffset + held.length === byteOffset + this.#end
    if (!isHere || this.#room.length - this.#end < chunk.length) {
      this.#room = Buffer.allocUnsafeSlow(length + Math.min(length, MAX_SPARE_BYTES))
      held.copy(this.#room)
      this.#end = held.length
    }
    chunk.copy(this.#room, this.#end)
    this.#end += chunk.length
    return this.#room.subarray(this.#end - length, this.#end)
  }
}

/**
 * The rest of a read that came in many pieces, as one: each costs its reader a write, and an answer in chunks of one
 * byte would hold up everything else. Where chunks end means nothing (RFC 9112 §7.1). What was read before an error is
 * handed out too. Returns where it ends.
 */
export function readJoined(
  body: BodyReader,
  from: { first: Buffer; data: Buffer; at: number },
  onData: (joined: Buffer) => void,
): number {
  const { first, data } = from
  const pieces = [first]
  let { at } = from
  try {
    while (!body.done && at < data.length) {
      const read = body.read(data, at)
      at = read.at
      if (read.piece !== undefined) pieces.push(read.piece)
    }
  } finally {
    onData(Buffer.concat(pieces))
  }
  return at
}
