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
