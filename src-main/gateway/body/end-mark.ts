import type { Framing } from './stream-events.js'

/** Of a stream's end; the last event that tells why it ended is followed by little more than a count of tokens. */
const KEPT_BYTES = 4 * 1024
const SMALLEST_TAIL = 512

/** An error in place of an end, as an event or as a member of one. */
const ERRORS: readonly RegExp[] = [/^event: ?error/m, /"error" ?: ?["{]/]

/** How streams of one format end. */
interface Marks {
  atEnd: readonly RegExp[]
  /** Looked for all along: the last event of a response repeats all of it behind its name. */
  anywhere?: RegExp
}

const OPENAI: Marks = { atEnd: [/^data: ?\[DONE\]/m, /"finish_reason" ?: ?"/] }
const ANTHROPIC: Marks = { atEnd: [/^event: ?message_stop/m, /"type" ?: ?"message_stop"/] }
const RESPONSES: Marks = {
  atEnd: OPENAI.atEnd,
  anywhere: /"response\.(?:completed|incomplete|failed|cancelled)"/,
}
const OLLAMA: Marks = { atEnd: [/"done" ?: ?true/] }

/** By path; a stream that ends otherwise was broken off, whatever its connection says. */
const MARKS_OF_PATH: readonly (readonly [RegExp, Marks])[] = [
  [/\/v1\/(?:chat\/)?completions$/, OPENAI],
  [/\/v1\/messages$/, ANTHROPIC],
  [/\/v1\/responses$/, RESPONSES],
  [/\/api\/(?:chat|generate)$/, OLLAMA],
]

/** For paths whose streams may end without any. */
const ANY: Marks = { atEnd: MARKS_OF_PATH.flatMap(([, { atEnd }]) => atEnd) }

/** Longer than any mark that is looked for all along. */
const OVERLAP_BYTES = 32

/** Tells whether a stream of events said that it is complete; keeps no more of it than its last kilobytes. */
export class EndMark {
  readonly #framing: Framing
  readonly #needed: Marks | undefined
  /** What came last lies before {@link EndMark.#end}; kept apart, as pieces that live on are what the collector works on. */
  #tail = Buffer.alloc(0)
  #end = 0
  #bytes = 0
  #overlap = ''
  #wasSeen = false

  /** `path`: what was asked for, with or without a query. */
  constructor(path: string, framing: Framing) {
    const [plain = ''] = path.split('?', 1)
    this.#framing = framing
    this.#needed = MARKS_OF_PATH.find(([pattern]) => pattern.test(plain))?.[1]
  }

  /** A piece of the stream. */
  push(piece: Buffer): void {
    const anywhere = this.#needed?.anywhere
    if (anywhere !== undefined && !this.#wasSeen) this.#lookFor(anywhere, piece)
    this.#bytes += piece.length
    this.#keep(piece.length > KEPT_BYTES ? piece.subarray(-KEPT_BYTES) : piece)
  }

  #keep(piece: Buffer): void {
    if (this.#end + piece.length > this.#tail.length) this.#makeRoom(piece.length)
    this.#tail.set(piece, this.#end)
    this.#end += piece.length
  }

  /** Twice what is kept is enough to move it seldom; most answers need less. */
  #makeRoom(length: number): void {
    const kept = Math.min(this.#end, KEPT_BYTES)
    const from = this.#tail.subarray(this.#end - kept, this.#end)
    const wanted = Math.min(2 * KEPT_BYTES, Math.max(SMALLEST_TAIL, 2 * (kept + length)))
    if (wanted > this.#tail.length) this.#tail = Buffer.allocUnsafe(wanted)
    this.#tail.set(from, 0)
    this.#end = kept
  }

  /**
   * To be asked at the clean end of the stream: why it is not complete all the same; undefined where it is. `isUsual`
   * hears whether it carried a mark, and says whether such streams may end as it did.
   */
  fault(isUsual: (wasMarked: boolean) => boolean): string | undefined {
    const text = this.#tail.toString('latin1', Math.max(0, this.#end - KEPT_BYTES), this.#end)
    const marks = [...ERRORS, ...(this.#needed ?? ANY).atEnd]
    const wasMarked = this.#wasSeen || marks.some((mark) => mark.test(text))
    const mayEndSo = isUsual(wasMarked)
    const last = this.#unfinished(text)
    // Some leave out the blank line behind their last event, which is whole all the same.
    if (last !== undefined && !(wasMarked && this.#isWhole(last, text))) return 'it ended in the middle of an event'
    if (wasMarked) return undefined
    return this.#needed !== undefined || !mayEndSo ? 'it ended without the mark that its streams end with' : undefined
  }

  #lookFor(mark: RegExp, piece: Buffer): void {
    const text = this.#overlap + piece.toString('latin1')
    this.#wasSeen = mark.test(text)
    this.#overlap = text.slice(-OVERLAP_BYTES)
  }

  /** What stands behind the last end of an event; undefined where that is nothing but comments and blank lines. */
  #unfinished(text: string): string | undefined {
    const events = this.#framing === 'ndjson' ? /[\r\n]+/ : /\r\n\r\n|\n\n|\r\r/
    const last = text.split(events).at(-1) ?? ''
    return last.split(/[\r\n]+/).some((line) => line !== '' && !line.startsWith(':')) ? last : undefined
  }

  #isWhole(last: string, text: string): boolean {
    // Its beginning is no longer known.
    if (last === text && this.#bytes > KEPT_BYTES) return true
    const lines = last.split(/\r\n|[\r\n]/)
    const data =
      this.#framing === 'ndjson'
        ? last
        : lines.flatMap((line) => (line.startsWith('data:') ? [line.slice('data:'.length)] : [])).join('\n')
    if (data.trim() === '[DONE]') return true
    try {
      JSON.parse(data)
      return true
    } catch {
      return false
    }
  }
}
