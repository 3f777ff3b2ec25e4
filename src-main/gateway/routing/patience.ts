import { BoundedMap } from '../../base/bounded-map.js'

/** One answer, as what is known of others like it says. */
export interface AnswerKind {
  peerId: string
  /** What was asked for, as an `offerKey`. */
  offer: string
  /** It comes piece by piece; else its first byte comes when all of it is thought up. */
  isStreamed: boolean
}

/** How long answers may keep a request waiting, in milliseconds. */
export interface PatienceLimits {
  /** The least and the most that a sign of an answer is waited for before another provider is asked. */
  floorMs: number
  ceilingMs: number
  /** The same at a provider that never answered such a request, for an answer that is streamed and for one that is not. */
  unknownStreamedMs: number
  unknownWholeMs: number
}

export const PATIENCE: PatienceLimits = {
  floorMs: 5_000,
  ceilingMs: 60_000,
  unknownStreamedMs: 8_000,
  unknownWholeMs: 20_000,
}

/** Times the usual: honest providers differ that much from one prompt to the next. */
const TIMES_USUAL = 4
const TIMES_USUAL_GAP = 20

/** A long prompt is read by a slow machine at some thousand tokens a second at best. */
const PROMPT_BYTES_PER_MS = 4

/** An answer that usually moves may stand still for so long. */
const LEAST_SILENCE_MS = 60_000

/** Share of the past where an answer came sooner than usual; one that took longer counts at once. */
const REMEMBERED = 0.7

const MAX_KINDS = 4_096

/** So many lengths of a wait there are at most: those of one length share a timer. */
const STEPS_TO_DOUBLE = 2

interface Usual {
  firstMs: number
  gapMs: number
}

/** What was learned of how soon providers begin to answer, and how steadily they go on. */
export class Patience {
  readonly #limits: PatienceLimits
  readonly #usual = new BoundedMap<string, Usual>(MAX_KINDS)

  constructor(limits: PatienceLimits = PATIENCE) {
    this.#limits = limits
  }

  /**
   * Milliseconds after which a request with a body of so many bytes asks another provider as well, where that one has
   * shown no sign of an answer; `queueingMs` is the wait for a slot that was expected there.
   */
  firstMs(kind: AnswerKind, { bodyBytes, queueingMs }: { bodyBytes: number; queueingMs: number }): number {
    const { floorMs, ceilingMs, unknownStreamedMs, unknownWholeMs } = this.#limits
    const usual = this.#usual.get(keyOf(kind))
    const unknownMs = kind.isStreamed ? unknownStreamedMs : unknownWholeMs
    const expectedMs = usual === undefined ? unknownMs : Math.max(usual.firstMs * TIMES_USUAL, floorMs)
    return Math.min(inSteps(expectedMs + queueingMs + bodyBytes / PROMPT_BYTES_PER_MS), ceilingMs)
  }

  /** Milliseconds that an answer which has begun may be silent; undefined where nothing is known of such answers. */
  silenceMs(kind: AnswerKind): number | undefined {
    const usual = this.#usual.peek(keyOf(kind))
    return usual === undefined ? undefined : Math.max(usual.gapMs * TIMES_USUAL_GAP, LEAST_SILENCE_MS)
  }

  /** An answer came whole: after how long its first sign, and what it stood still at the longest (ms). */
  learned(kind: AnswerKind, { firstMs, gapMs }: Usual): void {
    const key = keyOf(kind)
    const known = this.#usual.peek(key)
    this.#usual.set(key, {
      firstMs: slowly(known?.firstMs, firstMs),
      gapMs: slowly(known?.gapMs, gapMs),
    })
  }
}

const keyOf = ({ peerId, offer, isStreamed }: AnswerKind): string => `${peerId}\0${offer}\0${isStreamed ? 's' : 'w'}`

const slowly = (known: number | undefined, fresh: number): number =>
  Math.max(fresh, (known ?? 0) * REMEMBERED + fresh * (1 - REMEMBERED))

/** The next of the lengths there are, in so many steps until one is twice as long. */
export const inSteps = (ms: number, stepsToDouble = STEPS_TO_DOUBLE): number =>
  Math.ceil(2 ** (Math.ceil(Math.log2(ms) * stepsToDouble) / stepsToDouble))
