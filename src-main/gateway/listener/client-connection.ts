import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { writeAtOnce } from '../../p2p/index.js'

/** More is not copied to stand in one piece. */
const MAX_JOINED_BYTES = 16 * 1024
const CR = 0x0d
const LF = 0x0a
const DIGITS = Buffer.from('0123456789abcdef')

/** Those with chunks that wait for the end of this tick. */
let waiting: ChunkWriter[] = []

function flushAll(): void {
  const all = waiting
  waiting = []
  for (const writer of all) writer.flush()
}

/**
 * Writes the chunks of a streamed answer (RFC 9112 §7.1) below Node's response: there a chunk is three pieces, with a tick of
 * its own to join them, which costs as much as sending it. Here all that one answer gets in a tick leaves as one chunk and
 * one piece: a reader that falls behind gets fewer and larger ones.
 */
export class ChunkWriter {
  readonly #response: ServerResponse
  readonly #connection: Duplex
  #chunks: Buffer[] = []
  #bytes = 0

  private constructor(response: ServerResponse, connection: Duplex) {
    this.#response = response
    this.#connection = connection
  }

  /** For a response whose head has gone out; undefined where it waits, or the answer has no chunks. */
  static of(response: ServerResponse): ChunkWriter | undefined {
    const { socket } = response
    const isOut = Reflect.get(response, '_headerSent') === true && Reflect.get(response, 'outputSize') === 0
    if (socket === null || !isOut || !response.chunkedEncoding || response.req.method === 'HEAD') return undefined
    return new ChunkWriter(response, socket)
  }

  /** As `response.write`; what waits goes out before it. */
  write(chunk: Buffer): boolean {
    if (!this.#isFree || this.#bytes + chunk.length > MAX_JOINED_BYTES) {
      this.flush()
      return this.#response.write(chunk)
    }
    if (this.#bytes === 0) {
      if (waiting.length === 0) process.nextTick(flushAll)
      waiting.push(this)
    }
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    return true
  }

  /** Writes what waits; to be called before anything else is written, or the response ends. */
  flush(): void {
    if (this.#bytes === 0) return
    const chunks = this.#chunks
    const length = this.#bytes
    this.#chunks = []
    this.#bytes = 0
    if (!this.#isFree) {
      this.#response.write(Buffer.concat(chunks, length))
      return
    }
    const frame = framed(chunks, length)
    if (!writeAtOnce(this.#connection, frame)) this.#connection.write(frame)
  }

  /** Where anything waits below, it is Node that says when there is room again. */
  get #isFree(): boolean {
    const { writableLength, writableCorked, destroyed } = this.#connection
    return writableLength === 0 && writableCorked === 0 && !destroyed && !this.#response.writableNeedDrain
  }
}

/** As long as it has to be: a view of a part would be one more object for each token. */
function framed(chunks: readonly Buffer[], length: number): Buffer {
  let digits = 1
  while (length >> (4 * digits) > 0) digits += 1
  const frame = Buffer.allocUnsafe(digits + length + 4)
  let at = 0
  for (; at < digits; at += 1) frame[at] = DIGITS[(length >> (4 * (digits - 1 - at))) & 0xf] ?? 0
  frame[at++] = CR
  frame[at++] = LF
  for (const chunk of chunks) {
    frame.set(chunk, at)
    at += chunk.length
  }
  frame[at++] = CR
  frame[at] = LF
  return frame
}

/** How long a client may take to read what was sent to it before its connection is cut. */
const LAST_WORDS_MS = 5_000

/**
 * Ends the connection without ending the answer. What was written before still arrives; a body in chunks lacks its last
 * one, and any other is reset, so that it can't be taken for complete.
 */
export function cutShort(response: ServerResponse): void {
  const { socket } = response
  if (socket === null) response.destroy()
  else if (response.chunkedEncoding) {
    socket.destroySoon()
    const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref()
    socket.once('close', () => clearTimeout(timer))
  } else socket.resetAndDestroy()
}
