/** A partial event longer than this is passed on as it is; then a break can't be told cleanly any more. */
const MAX_HELD_BYTES = 1024 * 1024

const LF = 0x0a
const CR = 0x0d

/**
 * Splits a server-sent event stream at event boundaries, bytes untouched: whole events pass at once, the beginning of
 * an unfinished one is held until its end comes. So a stream that breaks can be followed by an error event of our own
 * without the two running into each other.
 */
export class SseEvents {
  #held: Buffer | undefined

  /** What may be sent now; undefined while there is no whole event. */
  push(chunk: Buffer): Buffer | undefined {
    const data = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk])
    const end = endOfLastEvent(data)
    if (end === data.length || data.length > MAX_HELD_BYTES) {
      this.#held = undefined
      return data
    }
    this.#held = data.subarray(end)
    return end === 0 ? undefined : data.subarray(0, end)
  }

  /** What is left when the stream ended as it should: sent as it is. */
  rest(): Buffer | undefined {
    const held = this.#held
    this.#held = undefined
    return held
  }
}

/** Offset just behind the last blank line (LF LF, CRLF CRLF or CR CR), 0 where there is none. */
function endOfLastEvent(data: Buffer): number {
  for (let index = data.length - 1; index > 0; index -= 1) {
    const byte = data[index]
    if (byte === LF) {
      if (data[index - 1] === LF) return index + 1
      if (data[index - 1] === CR && data[index - 2] === LF) return index + 1
    } else if (byte === CR && data[index - 1] === CR) return index + 1
  }
  return 0
}
