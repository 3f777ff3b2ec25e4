import { AppError } from '#shared/errors.js'

/** Bounds of what is scanned. */
export interface JsonBounds {
  /** Objects and arrays inside each other. */
  depth: number
  /** Values of any kind, at any depth. */
  values: number
  /** Members of the object itself. */
  members: number
}

/** Far beyond what requests to models have; a server that builds a tree of more would take gigabytes for it. */
export const JSON_BOUNDS: Readonly<JsonBounds> = { depth: 128, values: 2_000_000, members: 10_000 }

// What may come next. Strings are the busiest and come first.
const STRING = 0
const ESCAPE = 1
const HEX = 2
const AFTER = 3
const VALUE = 4
const VALUE_OR_END = 5
const KEY = 6
const KEY_OR_END = 7
const COLON = 8
const LITERAL = 9
const MINUS = 10
const ZERO = 11
const INTEGER = 12
const POINT = 13
const FRACTION = 14
const EXPONENT = 15
const EXPONENT_SIGN = 16
const EXPONENT_DIGITS = 17
const START = 18
const DONE = 19
const BYTE_ORDER_MARK = 20

const OBJECT = 1
const ARRAY = 2

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

const LITERALS: Readonly<Record<number, Uint8Array>> = {
  0x74: Buffer.from('true'),
  0x66: Buffer.from('false'),
  0x6e: Buffer.from('null'),
}

/** U+FEFF in UTF-8, which parsers may ignore before JSON (RFC 8259 §8.1). */
export const MARK = Uint8Array.of(0xef, 0xbb, 0xbf)

/** 1 for each byte that may stand in a string as it is. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
)
/** 1 for what may follow a backslash, `u` apart. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) => ('"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0))

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
const isHex = (byte: number): boolean =>
  isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)

/**
 * Reads a JSON object (RFC 8259) piece by piece as its bytes come in, holds it to the grammar, and notes where its
 * members stand. No tree is built: time grows with the bytes, and what is kept with the members of the object itself.
 * That the bytes are UTF-8 is not checked here.
 */
export class JsonScanner {
  /** Four numbers a member: where its key begins (at the quote) and ends, where its value begins and ends. */
  readonly offsets: number[] = []
  readonly #bounds: Readonly<JsonBounds>
  /** `OBJECT` or `ARRAY` for each level that is open. */
  readonly #kinds: Uint8Array
  #state = START
  #depth = 0
  #at = 0
  #values = 0
  /** The string being read is a key. */
  #isKey = false
  /** Hexadecimal digits still to come, or the next byte of {@link #literal}. */
  #count = 0
  #literal: Uint8Array = PLAIN

  constructor(bounds: Readonly<JsonBounds> = JSON_BOUNDS) {
    this.#bounds = bounds
    this.#kinds = new Uint8Array(bounds.depth + 1)
  }

  /** True once the object is complete; only white space may follow. */
  get isDone(): boolean {
    return this.#state === DONE
  }

  /**
   * Takes the next bytes.
   * @throws AppError `invalid_json` where they are no JSON object, `body_too_large` beyond the bounds
   */
  push(piece: Uint8Array): void {
    const { length } = piece
    let state = this.#state
    let at = 0
    while (at < length) {
      const byte = piece[at] as number
      if (state === STRING) {
        while (at < length && PLAIN[piece[at] as number] === 1) at += 1
        if (at === length) break
        const end = piece[at]
        if (end === QUOTE) state = this.#isKey ? this.#endKey(at + 1) : this.#endValue(at + 1)
        else if (end === BACKSLASH) state = ESCAPE
        else throw this.#malformed(at)
        at += 1
      } else if (state === ESCAPE) {
        if (ESCAPED[byte] === 1) state = STRING
        else if (byte === 0x75) {
          state = HEX
          this.#count = 4
        } else throw this.#malformed(at)
        at += 1
      } else if (state === HEX) {
        if (!isHex(byte)) throw this.#malformed(at)
        this.#count -= 1
        if (this.#count === 0) state = STRING
        at += 1
      } else if (state >= MINUS && state <= EXPONENT_DIGITS) {
        const next = numberState(state, byte)
        if (next === undefined) throw this.#malformed(at)
        // A number ends before the byte that is no part of it.
        if (next === AFTER) state = this.#endValue(at)
        else {
          state = next
          at += 1
          if (state === INTEGER || state === FRACTION) while (at < length && isDigit(piece[at] as number)) at += 1
        }
      } else if (state === LITERAL || state === BYTE_ORDER_MARK) {
        if (byte !== this.#literal[this.#count]) throw this.#malformed(at)
        this.#count += 1
        at += 1
        if (this.#count === this.#literal.length) state = state === LITERAL ? this.#endValue(at) : START
      } else if (isSpace(byte)) at += 1
      else {
        state = this.#structural(state, byte, at)
        at += 1
      }
    }
    this.#state = state
    this.#at += length
  }

  /**
   * All bytes were pushed.
   * @throws AppError `invalid_json` where the object is not complete
   */
  end(): void {
    if (this.#state === START) throw new AppError('invalid_json', 'The request body is empty; a JSON object is wanted.')
    if (this.#state !== DONE)
      throw new AppError('invalid_json', 'The request body is not valid JSON: it ends too early.')
  }

  #structural(state: number, byte: number, at: number): number {
    switch (state) {
      case AFTER:
        return this.#afterValue(byte, at)
      case COLON:
        if (byte !== 0x3a) throw this.#malformed(at)
        return VALUE
      case KEY:
      case KEY_OR_END:
        if (byte === QUOTE) return this.#beginKey(at)
        if (byte === CLOSE_BRACE && state === KEY_OR_END) return this.#close(OBJECT, at)
        throw this.#malformed(at)
      case VALUE_OR_END:
        return byte === CLOSE_BRACKET ? this.#close(ARRAY, at) : this.#beginValue(byte, at)
      case VALUE:
        return this.#beginValue(byte, at)
      case START:
        return this.#start(byte, at)
      default:
        throw this.#malformed(at)
    }
  }

  #start(byte: number, at: number): number {
    if (byte === OPEN_BRACE) return this.#open(OBJECT)
    if (byte !== MARK[0] || this.#at + at > 0) {
      throw new AppError('invalid_json', 'The request body must be a JSON object.')
    }
    this.#literal = MARK
    this.#count = 1
    return BYTE_ORDER_MARK
  }

  #beginKey(at: number): number {
    this.#isKey = true
    if (this.#depth === 1) {
      if (this.offsets.length >= this.#bounds.members * 4) throw tooMany(`${this.#bounds.members} members`)
      this.offsets.push(this.#at + at)
    }
    return STRING
  }

  #endKey(at: number): number {
    this.#isKey = false
    if (this.#depth === 1) this.offsets.push(this.#at + at)
    return COLON
  }

  #beginValue(byte: number, at: number): number {
    this.#values += 1
    if (this.#values > this.#bounds.values) throw tooMany(`${this.#bounds.values} values`)
    if (this.#depth === 1) this.offsets.push(this.#at + at)
    if (byte === QUOTE) return STRING
    if (byte === OPEN_BRACE) return this.#open(OBJECT)
    if (byte === OPEN_BRACKET) return this.#open(ARRAY)
    if (byte === 0x2d) return MINUS
    if (byte === 0x30) return ZERO
    if (isDigit(byte)) return INTEGER
    const literal = LITERALS[byte]
    if (literal === undefined) throw this.#malformed(at)
    this.#literal = literal
    this.#count = 1
    return LITERAL
  }

  #endValue(at: number): number {
    if (this.#depth === 1) this.offsets.push(this.#at + at)
    return AFTER
  }

  #open(kind: number): number {
    this.#depth += 1
    if (this.#depth > this.#bounds.depth) {
      throw new AppError(
        'body_too_large',
        `The request body has more than the ${this.#bounds.depth} levels of objects and arrays that are read here.`,
      )
    }
    this.#kinds[this.#depth] = kind
    return kind === OBJECT ? KEY_OR_END : VALUE_OR_END
  }

  #close(kind: number, at: number): number {
    if (this.#kinds[this.#depth] !== kind) throw this.#malformed(at)
    this.#depth -= 1
    return this.#depth === 0 ? DONE : this.#endValue(at + 1)
  }

  #afterValue(byte: number, at: number): number {
    if (byte === COMMA) return this.#kinds[this.#depth] === OBJECT ? KEY : VALUE
    if (byte === CLOSE_BRACE) return this.#close(OBJECT, at)
    if (byte === CLOSE_BRACKET) return this.#close(ARRAY, at)
    throw this.#malformed(at)
  }

  /** Only where, never what: a piece of a prompt must not reach a log. */
  #malformed(at: number): AppError {
    return new AppError('invalid_json', `The request body is not valid JSON: malformed at position ${this.#at + at}.`)
  }
}

/** What follows `byte` in a number; `AFTER` where the number ended before it, undefined where neither may be. */
function numberState(state: number, byte: number): number | undefined {
  const digit = isDigit(byte)
  switch (state) {
    case MINUS:
      if (byte === 0x30) return ZERO
      return digit ? INTEGER : undefined
    case POINT:
      return digit ? FRACTION : undefined
    case EXPONENT:
      if (byte === 0x2b || byte === 0x2d) return EXPONENT_SIGN
      return digit ? EXPONENT_DIGITS : undefined
    case EXPONENT_SIGN:
      return digit ? EXPONENT_DIGITS : undefined
    default:
      break
  }
  if (digit) return state === ZERO ? undefined : state
  const isE = byte === 0x65 || byte === 0x45
  if (isE && state !== EXPONENT_DIGITS) return EXPONENT
  if (byte === 0x2e && (state === ZERO || state === INTEGER)) return POINT
  return AFTER
}

function tooMany(what: string): AppError {
  return new AppError('body_too_large', `The request body has more than the ${what} that are read here.`)
}
