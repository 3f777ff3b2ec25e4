import type { Framing } from '../body/stream-events.js'
import type { AnswerForm } from './answer-form.js'
import { eventsIn, parsed } from './events.js'

/** What was said of an answer so far, and what the rest of it has to match. */
export interface Said {
  text: string
  /** Events that brought text: of most servers one is a token. */
  tokens: number
  /** Members that each event of the answer repeats, as the first one had them. */
  head: Record<string, unknown>
  /** Why nobody else can go on with it, in words for the log; undefined while somebody can. */
  obstacle: string | undefined
  /** It has said why it ended: no more than its end mark can be missing. */
  isOver: boolean
}

/** Longer answers are not continued: they would not fit beside their prompt. */
const MAX_TEXT_CHARS = 1024 * 1024

/** Events are read when so many bytes of them have come: an answer that is not cut is hardly ever read at all. */
const BATCH_BYTES = 32 * 1024

const FIRST_BYTES = 4 * 1024

/**
 * Keeps what a client was given of an answer, for as long as it runs. The bytes of whole events come in; they are copied,
 * and their text is taken out in batches.
 */
export class AnswerSoFar {
  readonly #form: AnswerForm
  readonly #said: Said = { text: '', tokens: 0, head: {}, obstacle: undefined, isOver: false }
  #kept = Buffer.alloc(0)
  #bytes = 0

  constructor(form: AnswerForm) {
    this.#form = form
  }

  push(events: Buffer): void {
    if (this.#said.obstacle !== undefined) return
    const wanted = this.#bytes + events.length
    if (wanted > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(wanted, this.#kept.length * 2, FIRST_BYTES))
      this.#kept.copy(larger, 0, 0, this.#bytes)
      this.#kept = larger
    }
    events.copy(this.#kept, this.#bytes)
    this.#bytes = wanted
    if (this.#bytes >= BATCH_BYTES) this.#read()
  }

  /** What was said until now. The object goes on changing with the answer. */
  said(): Readonly<Said> {
    this.#read()
    return this.#said
  }

  #read(): void {
    const said = this.#said
    const text = this.#kept.toString('utf8', 0, this.#bytes)
    this.#bytes = 0
    for (const event of eventsIn(text, this.#form.framing)) {
      if (said.obstacle !== undefined) break
      const value = parsed(event)
      if (value !== undefined) this.#form.read(said, value)
      else if (!isEndMark(event.data, this.#form.framing)) said.obstacle = 'an event of it is not JSON'
    }
    if (said.text.length > MAX_TEXT_CHARS) said.obstacle = 'it is too long'
    if (said.obstacle === undefined) return
    said.text = ''
    this.#kept = Buffer.alloc(0)
  }
}

const isEndMark = (data: string, framing: Framing): boolean => framing === 'sse' && data === '[DONE]'
