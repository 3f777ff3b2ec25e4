import {
  AMPERSAND,
  BACKSLASH,
  codesOf,
  folded,
  isSeparator,
  isWord,
  LETTER_U,
  LETTER_X,
  PERCENT,
  PLUS,
  readingsAt,
  SPACE,
} from './spellings.js'

/** A name that must not be read, and what stands in its place. */
export interface HiddenName {
  name: string
  shown: string
}

/** One more character of some names. */
class Step {
  readonly next = new Map<number, Step>()
  /** Set where a name ends. */
  shown: Buffer | undefined
  readonly isSeparator: boolean

  constructor(isSeparator = false) {
    this.isSeparator = isSeparator
  }
}

/** How far one way of reading has come; `repeats` counts separators and marks that add nothing. */
interface State {
  at: number
  step: Step
  repeats: number
}

interface Match {
  end: number
  shown: Buffer
}

/** Separators, or marks, in a row. */
const MAX_REPEATS = 8

const SEPARATOR = 0x2f

/**
 * Finds names in bytes, however they are spelled ({@link readingsAt}), and puts others in their place. A name counts
 * where it does not go on as a longer word; of several that begin at a place the longest one does. Names are paths:
 * `/` and `\`, one or more, are the same.
 */
export class NameFilter {
  readonly #root = new Step()
  /** By byte, which kinds of names it may begin, and which it may go on behind their first character: a bit each. */
  readonly #first = new Uint8Array(256)
  readonly #second = new Uint8Array(256)

  /** Of names that are spelled alike the first one counts. */
  constructor(names: Iterable<HiddenName>) {
    for (const { name, shown } of names) this.#add(name, shown)
    for (const [at, [unit, { next }]] of [...this.#root.next].entries()) {
      const kind = 1 << Math.min(at, 7)
      markBytes(this.#first, [unit], kind)
      markBytes(this.#second, next.keys(), kind)
      // A second separator, or a mark above the first character.
      markBytes(this.#second, [SEPARATOR, 0xe9], kind)
    }
  }

  /** True without names: then nothing is ever replaced. */
  get isEmpty(): boolean {
    return this.#root.next.size === 0
  }

  #add(name: string, shown: string): void {
    const units = codesOf(name).flatMap((code) => (isSeparator(code) ? SEPARATOR : folded(code)))
    while (units.at(-1) === SEPARATOR) units.pop()
    let step = this.#root
    for (const unit of units) {
      if (unit === SEPARATOR && step.isSeparator) continue
      let next = step.next.get(unit)
      if (next === undefined) step.next.set(unit, (next = new Step(unit === SEPARATOR)))
      step = next
    }
    // As it stands in JSON; anywhere else that is the same for all but quotes and control characters.
    if (step !== this.#root) step.shown ??= Buffer.from(JSON.stringify(shown).slice(1, -1))
  }

  /** A whole text of a byte a character, as headers are. */
  filterHeader(value: string): string {
    const bytes = Buffer.from(value, 'latin1')
    const { ready } = this.filter(bytes, true)
    return ready === bytes ? value : ready.toString('latin1')
  }

  /**
   * `data` with its names replaced, the same buffer where there is none. Unless it is the end, `held` is what may be the
   * beginning of a name: to be given again, with what follows it.
   */
  filter(data: Buffer, isEnd: boolean): { ready: Buffer; held: Buffer | undefined } {
    const parts: Buffer[] = []
    let from = 0
    let at = this.#nextStart(data, 0)
    while (at < data.length) {
      const match = this.#match(data, at, isEnd)
      if (match === 'more') break
      if (match === undefined) at = this.#nextStart(data, behindStart(data, at))
      else {
        parts.push(data.subarray(from, at), match.shown)
        from = match.end
        at = this.#nextStart(data, from)
      }
    }
    const held = at < data.length ? data.subarray(at) : undefined
    if (from === 0 && held === undefined) return { ready: data, held }
    parts.push(data.subarray(from, at))
    return { ready: parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts), held }
  }

  /** Where a name may begin from `from` on: told by two bytes at most, so that text without names costs little. */
  #nextStart(data: Buffer, from: number): number {
    const first = this.#first
    const second = this.#second
    const { length } = data
    for (let at = from; at < length; at += 1) {
      const byte = data[at] ?? 0
      const kinds = first[byte] ?? 0
      if (kinds === 0) continue
      const isLast = at + 1 === length
      if (byte !== BACKSLASH) {
        const isEscape = byte === PERCENT || byte === AMPERSAND
        if (isLast || isEscape || ((second[data[at + 1] ?? 0] ?? 0) & kinds) !== 0) return at
        continue
      }
      const end = endOfBackslashes(data, at)
      if (end === length) return at
      const letter = data[end] ?? 0
      const isSpelling = letter === LETTER_U || letter === LETTER_X
      if (isSpelling || first[letter] !== 0 || ((second[letter] ?? 0) & kinds) !== 0) return at
      at = behindStart(data, at) - 1
    }
    return length
  }

  /** The longest name at `start`; `more` where only what follows tells. */
  #match(data: Buffer, start: number, isEnd: boolean): Match | 'more' | undefined {
    let best: Match | undefined
    let states: State[] = [{ at: start, step: this.#root, repeats: 0 }]
    while (states.length > 0) {
      const next: State[] = []
      for (const state of states) {
        const { list, isCut } = readingsAt(data, state.at)
        if (isCut && !isEnd) return 'more'
        const { shown } = state.step
        if (shown !== undefined && state.at > (best?.end ?? 0) && endsWord(list)) best = { end: state.at, shown }
        for (const { code, end } of list) this.#advance(state, code, end, next)
      }
      states = next
    }
    return best
  }

  /** Adds what a state becomes by one more character to `to`, once. */
  #advance({ step, repeats }: State, code: number, at: number, to: State[]): void {
    const isRepeat = step.isSeparator && isSeparator(code)
    const units = isSeparator(code) ? [SEPARATOR] : folded(code)
    let next: Step | undefined = step
    if (!isRepeat) for (const unit of units) next = next?.next.get(unit)
    if (next === undefined || (next === step && (step === this.#root || repeats === MAX_REPEATS))) return
    if (to.some((other) => other.at === at && other.step === next)) return
    to.push({ at, step: next, repeats: next === step ? repeats + 1 : 0 })
  }
}

/** Notes for each of these characters every byte that may be the first of some spelling. */
function markBytes(table: Uint8Array, units: Iterable<number>, kind: number): void {
  const mark = (byte: number): void => void (table[byte] = (table[byte] ?? 0) | kind)
  // They may spell any character.
  for (const byte of [BACKSLASH, PERCENT, AMPERSAND]) mark(byte)
  for (const unit of units) {
    if (unit < 0x80) for (const form of caseless(unit)) mark(form)
    if (unit === SPACE) mark(PLUS)
    // Letters have relatives beyond ASCII that count as the same.
    if (isWord(unit)) for (let byte = 0x80; byte < 0x100; byte += 1) mark(byte)
  }
}

function caseless(unit: number): number[] {
  const text = String.fromCharCode(unit)
  return [text.toLowerCase().charCodeAt(0), text.toUpperCase().charCodeAt(0)]
}

/** At the end of all bytes, or where one reading at least is no letter or digit. */
const endsWord = (list: readonly { code: number }[]): boolean =>
  list.length === 0 || list.some(({ code }) => !isWord(code))

function endOfBackslashes(data: Buffer, at: number): number {
  const limit = Math.min(data.length, at + MAX_REPEATS)
  let end = at
  while (end < limit && data[end] === BACKSLASH) end += 1
  return end
}

/** Where the search goes on behind a place at which no name begins: a letter that a backslash escapes begins none. */
function behindStart(data: Buffer, at: number): number {
  const end = endOfBackslashes(data, at)
  if (end === at) return at + 1
  return (end - at) % 2 === 1 && isWord(data[end] ?? 0) ? end + 1 : end
}
