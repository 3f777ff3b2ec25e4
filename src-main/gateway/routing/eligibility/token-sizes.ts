import { BoundedMap } from '../../../base/bounded-map.js'
import type { LearnedSize } from '../estimate/learned-rates.js'

/** How many tokens some bytes of a prompt are. */
export interface TokenRange {
  least: number
  likely: number
  most: number
}

/** Bytes of a token, about: of English text, and of what is packed most tightly and most loosely. */
const USUAL_BYTES = 4
const LEAST_BYTES = 2
const MOST_BYTES = 8

/** Answers before what they tell counts more than what is usual. */
const FEW = 3
/** Share of a fresh measurement. */
const ALPHA = 0.2
/** How many times its usual error an estimate may be off, and the least error that is thought possible. */
const TIMES_ERROR = 2
const LEAST_ERROR = 0.1

const MAX_MODELS = 1_024

interface Learned {
  bytesPerToken: number
  /** As a share of {@link Learned.bytesPerToken}. */
  error: number
  answers: number
}

/** How long the tokens of each model are, as the answers to earlier requests told: there is no tokenizer here. */
export class TokenSizes {
  readonly #learned = new BoundedMap<string, Learned>(MAX_MODELS)

  /** Tokens of so many bytes for what was asked for (an `offerKey`). */
  range(offer: string, bytes: number): TokenRange {
    const learned = this.#learned.peek(offer)
    if (learned === undefined || learned.answers < FEW) {
      return { least: bytes / MOST_BYTES, likely: bytes / USUAL_BYTES, most: bytes / LEAST_BYTES }
    }
    const likely = bytes / learned.bytesPerToken
    const off = Math.min(0.5, LEAST_ERROR + TIMES_ERROR * learned.error)
    return { least: likely * (1 - off), likely, most: likely * (1 + off) }
  }

  /** What was learned of each model, the longest unused first. */
  learned(): LearnedSize[] {
    return [...this.#learned].map(([offer, figures]) => ({ offer, ...figures }))
  }

  /** Takes up what an earlier run had learned, where nothing is known yet. */
  remember({ offer, bytesPerToken, error, answers }: LearnedSize): void {
    const within = Math.min(MOST_BYTES, Math.max(LEAST_BYTES, bytesPerToken))
    if (!this.#learned.has(offer)) this.#learned.set(offer, { bytesPerToken: within, error, answers })
  }

  /** A prompt of so many bytes was so many tokens, as its server has counted them. */
  counted(offer: string, bytes: number, tokens: number): void {
    if (tokens <= 0 || bytes <= 0) return
    // What a server knew already some leave out of their count; no count is believed beyond what there is.
    const measured = Math.min(MOST_BYTES, Math.max(LEAST_BYTES, bytes / tokens))
    const known = this.#learned.get(offer) ?? { bytesPerToken: measured, error: 0, answers: 0 }
    const error = Math.abs(measured - known.bytesPerToken) / known.bytesPerToken
    this.#learned.set(offer, {
      bytesPerToken: known.bytesPerToken + ALPHA * (measured - known.bytesPerToken),
      error: known.error + ALPHA * (error - known.error),
      answers: known.answers + 1,
    })
  }
}
