/** A partial event longer than this is passed on as it is; then a break can't be announced cleanly any more. */
const MAX_HELD_BYTES = 1024 * 1024

/** Most events are shorter. */
const SMALLEST_HOLD = 2 * 1024

const EMPTY = Buffer.alloc(0)

const LF = 0x0a
const CR = 0x0d

/** Bytes before a piece that can belong to a blank line ending in it: LF CR of LF CR LF. */
const LOOK_BACK = 2

/** How a stream is cut into events: server-sent events, or a JSON value a line, as Ollama streams. */
export type Framing = 'sse' | 'ndjson'

/** How the answer with these headers is framed; undefined where it is no stream of events, or one that is compressed. */
export function framingOf(headers: Readonly<Record<string, string | string[] | undefined>>): Framing | undefined {
  const type = headers['content-type']
  if (headers['content-encoding'] !== undefined || typeof type !== 'string') return undefined
  const name = type.split(';', 1)[0]?.trim().toLowerCase()
  if (name === 'text/event-stream') return 'sse'
  return name === 'application/x-ndjson' ? 'ndjson' : undefined
}

/**
 * Splits a stream at the boundaries of its events, bytes untouched: whole events pass at once, the beginning of
 * an unfinished one is held until its end comes. So a stream that breaks can be followed by an error of our own
 * without the two running into each other. Each byte is looked at once, however small the pieces are.
 */
export class StreamEvents {
  readonly #framing: Framing
  /** Grows by doubling, so that many small pieces cost no more than one large one. */
  #held = EMPTY
  #heldBytes = 0
  #beforeLast = 0
  #last = 0
  #whole = true

  constructor(framing: Framing) {
    this.#framing = framing
  }

  /** True while nothing but whole events was passed on. */
  get atBoundary(): boolean {
    return this.#whole
  }

  /** What may be sent now; undefined while there is no whole event. */
  push(chunk: Buffer): Buffer | undefined {
    if (chunk.length === 0) return undefined
    const end =
      this.#framing === 'ndjson' ? chunk.lastIndexOf(LF) + 1 : endOfLastEvent(chunk, this.#beforeLast, this.#last)
    this.#remember(chunk)
    if (end === chunk.length) {
      this.#whole = true
      return this.#release(chunk)
    }
    if (end === 0) {
      this.#hold(chunk)
      return this.#heldBytes > MAX_HELD_BYTES ? this.#overflow() : undefined
    }
    const ready = this.#release(chunk.subarray(0, end))
    this.#whole = true
    this.#hold(chunk.subarray(end))
    return ready
  }

  /** What is left when the stream ended as it should: sent as it is. */
  rest(): Buffer | undefined {
    return this.#heldBytes === 0 ? undefined : this.#release()
  }

  #hold(piece: Buffer): void {
    const wanted = this.#heldBytes + piece.length
    if (wanted > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(wanted, this.#held.length * 2, SMALLEST_HOLD))
      this.#held.copy(larger, 0, 0, this.#heldBytes)
      this.#held = larger
    }
    piece.copy(this.#held, this.#heldBytes)
    this.#heldBytes = wanted
  }

  #overflow(): Buffer {
    this.#whole = false
    return this.#release()
  }

  /** What was held and `piece` behind it; what was held is copied, because its buffer is used again. */
  #release(piece: Buffer = EMPTY): Buffer {
    if (this.#heldBytes === 0) return piece
    const all = Buffer.concat([this.#held.subarray(0, this.#heldBytes), piece])
    this.#heldBytes = 0
    return all
  }

  #remember(chunk: Buffer): void {
    this.#beforeLast = chunk.length >= LOOK_BACK ? (chunk[chunk.length - LOOK_BACK] ?? 0) : this.#last
    this.#last = chunk[chunk.length - 1] ?? 0
  }
}

/** Offset just behind the last blank line (LF LF, CRLF CRLF or CR CR), 0 where there is none. */
function endOfLastEvent(data: Buffer, beforeLast: number, last: number): number {
  for (let index = data.length - 1; index >= 0; index -= 1) {
    const byte = data[index]
    if (byte !== LF && byte !== CR) continue
    const before = index >= 1 ? data[index - 1] : last
    if (byte === before) return index + 1
    if (byte !== LF || before !== CR) continue
    const beforeThat = index >= 2 ? data[index - 2] : index === 1 ? last : beforeLast
    if (beforeThat === LF) return index + 1
  }
  return 0
}
