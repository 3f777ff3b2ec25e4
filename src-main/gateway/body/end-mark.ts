import type { Framing } from './stream-events.js'

/** Of a stream's end; the last event that tells why it ended is followed by little more than a count of tokens. */
const KEPT_BYTES = 4 * 1024

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
  #tail: Buffer[] = []
  #bytes = 0
  #overlap = ''
  #wasSeen = false

  /** `path`: what was asked for, with or without a query. */
  constructor(path: string, framing: Framing) {
    const [plain = ''] = path.split('?', 1)
    this.#framing = framing
    this.#needed = MARKS_OF_PATH.find(([pattern]) => pattern.test(plain))?.[1]
  }

  /** A piece of the stream; it is not copied, and must not change. */
  push(piece: Buffer): void {
    const anywhere = this.#needed?.anywhere
    if (anywhere !== undefined && !this.#wasSeen) this.#lookFor(anywhere, piece)
    this.#tail.push(piece)
    this.#bytes += piece.byteLength
    let [first] = this.#tail
    while (first !== undefined && this.#bytes - first.byteLength >= KEPT_BYTES) {
      this.#tail.shift()
      this.#bytes -= first.byteLength
      ;[first] = this.#tail
    }
  }

  /**
   * To be asked at the clean end of the stream: why it is not complete all the same; undefined where it is. `isUsual`
   * hears whether it carried a mark, and says whether such streams may end as it did.
   */
  fault(isUsual: (wasMarked: boolean) => boolean): string | undefined {
    const text = Buffer.concat(this.#tail).toString('latin1').slice(-KEPT_BYTES)
    const marks = [...ERRORS, ...(this.#needed ?? ANY).atEnd]
    const wasMarked = this.#wasSeen || marks.some((mark) => mark.test(text))
    const mayEndSo = isUsual(wasMarked)
    if (wasMarked) return undefined
    if (this.#endsInside(text)) return 'it ended in the middle of an event'
    return this.#needed !== undefined || !mayEndSo ? 'it ended without the mark that its streams end with' : undefined
  }

  #lookFor(mark: RegExp, piece: Buffer): void {
    const text = this.#overlap + piece.toString('latin1')
    this.#wasSeen = mark.test(text)
    this.#overlap = text.slice(-OVERLAP_BYTES)
  }

  #endsInside(text: string): boolean {
    if (this.#framing === 'ndjson') return text.trim() !== '' && !/[\r\n]$/.test(text)
    const last = text.split(/\r\n\r\n|\n\n|\r\r/).at(-1) ?? ''
    // Comments and blank lines are no event.
    return last.split(/[\r\n]+/).some((line) => line !== '' && !line.startsWith(':'))
  }
}
