import { isUtf8 } from 'node:buffer'
import { AppError } from '#shared/errors.js'
import { type JsonBounds, JsonScanner, MARK } from './scanner.js'

/** A changed member of an object: its new value as JSON text, or null where it is to go. */
export type JsonChanges = ReadonlyMap<string, string | null>

/** Longer strings and numbers than that are nobody's name, flag or count, and are not read. */
const MAX_SCALAR_BYTES = 16 * 1024

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/**
 * A JSON object as the bytes that were sent, with the places of its members. Members are read one by one, by the names
 * they have once their escapes are decoded; changes are spliced into the bytes, of which all others stay as they were.
 */
export class JsonObjectBytes {
  readonly bytes: Buffer
  readonly #offsets: readonly number[]
  #names: readonly string[] | undefined

  private constructor(bytes: Buffer, offsets: readonly number[]) {
    this.bytes = bytes
    this.#offsets = offsets
  }

  /**
   * A whole body.
   * @throws AppError `invalid_json`, `body_too_large` as {@link JsonScanner} does
   */
  static from(bytes: Buffer, bounds?: Readonly<JsonBounds>): JsonObjectBytes {
    const scanner = new JsonScanner(bounds)
    scanner.push(bytes)
    return JsonObjectBytes.scanned(bytes, scanner)
  }

  /**
   * A body that `scanner` went through as it came.
   * @throws AppError `invalid_json` where it is not complete, or no UTF-8
   */
  static scanned(bytes: Buffer, scanner: JsonScanner): JsonObjectBytes {
    scanner.end()
    if (!isUtf8(bytes)) throw new AppError('invalid_json', 'The request body is not valid JSON: it is not in UTF-8.')
    if (!MARK.every((byte, at) => bytes[at] === byte)) return new JsonObjectBytes(bytes, scanner.offsets)
    // Many parsers do not take the mark: it goes no further.
    return new JsonObjectBytes(
      bytes.subarray(MARK.length),
      scanner.offsets.map((offset) => offset - MARK.length),
    )
  }

  /**
   * What the beginning of valid JSON tells of the object that stands there: a last member may be cut, and whatever
   * follows the object is left out of account. Undefined where no object begins.
   */
  static fromBeginning(bytes: Buffer): JsonObjectBytes | undefined {
    const scanner = new JsonScanner()
    try {
      scanner.push(bytes)
    } catch (error) {
      // What stands behind the object is no part of it.
      if (!(error instanceof AppError)) throw error
    }
    const { offsets } = scanner
    if (offsets.length % 4 === 3) offsets.push(bytes.length)
    return offsets.length < 4 ? undefined : new JsonObjectBytes(bytes, offsets.slice(0, offsets.length & ~3))
  }

  /** The names of its members in their order, a repeated one as often as it stands there. */
  get names(): readonly string[] {
    this.#names ??= Array.from({ length: this.#offsets.length / 4 }, (_, index) => this.#nameOf(index))
    return this.#names
  }

  /**
   * Parsers keep the last of several members of a name or the first, so such a body says different things to different
   * readers.
   * @throws AppError `invalid_request` where one of `names` stands there more than once
   */
  assertOnce(names: Iterable<string>): void {
    for (const name of names) {
      const first = this.#indexOf(name)
      if (first === -1 || this.#indexOf(name, first + 1) === -1) continue
      throw new AppError('invalid_request', `The request body names "${name}" more than once. Send exactly one.`, {
        param: name,
      })
    }
  }

  has(name: string): boolean {
    return this.#indexOf(name) !== -1
  }

  /** The value of that member as it was sent, the first one's where there are several; undefined where there is none. */
  raw(name: string): Buffer | undefined {
    const index = this.#indexOf(name)
    return index === -1 ? undefined : this.bytes.subarray(this.#at(index, 2), this.#at(index, 3))
  }

  /** The value of that member where it is a string, number, boolean or null of sensible length; undefined otherwise. */
  scalar(name: string): string | number | boolean | null | undefined {
    const raw = this.raw(name)
    if (raw === undefined || raw.length > MAX_SCALAR_BYTES) return undefined
    if (raw[0] === OPEN_BRACE || raw[0] === OPEN_BRACKET) return undefined
    return JSON.parse(raw.toString('utf8')) as string | number | boolean | null
  }

  /** The value of that member where it is a string. */
  text(name: string): string | undefined {
    const value = this.scalar(name)
    return typeof value === 'string' ? value : undefined
  }

  /** The value of that member where it is an object. */
  object(name: string): JsonObjectBytes | undefined {
    const raw = this.raw(name)
    return raw?.[0] === OPEN_BRACE ? JsonObjectBytes.from(raw) : undefined
  }

  /**
   * The object with those members changed: present ones get their new value where they stand, others are added at the
   * end, null takes every member of that name away.
   */
  with(changes: JsonChanges): JsonObjectBytes {
    if (changes.size === 0) return this
    const { names } = this
    const out = new Splice(this.bytes)
    const count = names.length
    out.copy(0, count === 0 ? this.bytes.lastIndexOf('}') : this.#at(0, 0))
    for (const [index, name] of names.entries()) {
      const change = changes.get(name)
      if (change === null) continue
      // What separates two members is taken from behind the one before, kept or not.
      if (out.offsets.length > 0) out.copy(this.#at(index - 1, 3), this.#at(index, 0))
      out.member(
        () => out.copy(this.#at(index, 0), this.#at(index, 1)),
        () => out.copy(this.#at(index, 1), this.#at(index, 2)),
        () => (change === undefined ? out.copy(this.#at(index, 2), this.#at(index, 3)) : out.add(change)),
      )
    }
    for (const [name, text] of changes) {
      if (text === null || names.includes(name)) continue
      if (out.offsets.length > 0) out.add(',')
      out.member(
        () => out.add(JSON.stringify(name)),
        () => out.add(':'),
        () => out.add(text),
      )
    }
    out.copy(count === 0 ? this.bytes.lastIndexOf('}') : this.#at(count - 1, 3), this.bytes.length)
    return new JsonObjectBytes(out.bytes(), out.offsets)
  }

  #at(index: number, part: number): number {
    return this.#offsets[index * 4 + part] ?? 0
  }

  #indexOf(name: string, from = 0): number {
    for (let index = from; index * 4 < this.#offsets.length; index += 1) if (this.#isNamed(index, name)) return index
    return -1
  }

  /** Nearly every key is plain ASCII and is compared where it stands. */
  #isNamed(index: number, name: string): boolean {
    const start = this.#at(index, 0) + 1
    const length = this.#at(index, 1) - 1 - start
    // Neither UTF-8 nor an escape is shorter than what it stands for.
    if (length < name.length) return false
    for (let at = 0; at < length; at += 1) {
      const byte = this.bytes[start + at] as number
      if (byte === BACKSLASH || byte > 0x7e) return this.#nameOf(index) === name
      if (byte !== name.charCodeAt(at)) return false
    }
    return length === name.length
  }

  #nameOf(index: number): string {
    const key = this.bytes.subarray(this.#at(index, 0), this.#at(index, 1))
    return key.includes(BACKSLASH)
      ? (JSON.parse(key.toString('utf8')) as string)
      : key.toString('utf8', 1, key.length - 1)
  }
}

/** Bytes put together from parts of others and new text, and where members stand in them. */
class Splice {
  readonly offsets: number[] = []
  readonly #from: Buffer
  readonly #pieces: Buffer[] = []
  #length = 0

  constructor(from: Buffer) {
    this.#from = from
  }

  copy(start: number, end: number): void {
    this.#push(this.#from.subarray(start, end))
  }

  add(text: string): void {
    this.#push(Buffer.from(text))
  }

  /** A member, from what writes its key, its colon and its value. */
  member(key: () => void, colon: () => void, value: () => void): void {
    this.offsets.push(this.#length)
    key()
    this.offsets.push(this.#length)
    colon()
    this.offsets.push(this.#length)
    value()
    this.offsets.push(this.#length)
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces, this.#length)
  }

  #push(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#length += piece.length
  }
}

/** A JSON array as the bytes that were sent, in pieces: each element up to its comma. For valid JSON, or its beginning. */
export function* elementsOf(array: Buffer): Generator<Buffer> {
  let depth = 0
  let start = 0
  for (let at = 0; at < array.length; at += 1) {
    const byte = array[at]
    if (byte === QUOTE) at = endOfString(array, at)
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1
      if (depth === 1) start = at + 1
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1
      if (depth > 0) continue
      const last = trimmed(array.subarray(start, at))
      if (last.length > 0) yield last
      return
    } else if (byte === COMMA && depth === 1) {
      yield trimmed(array.subarray(start, at))
      start = at + 1
    }
  }
  const cut = trimmed(array.subarray(start))
  if (cut.length > 0) yield cut
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1
    else if (bytes[at] === QUOTE) return at
  }
  return bytes.length
}

function trimmed(bytes: Buffer): Buffer {
  let start = 0
  let end = bytes.length
  while (start < end && (bytes[start] as number) <= 0x20) start += 1
  while (end > start && (bytes[end - 1] as number) <= 0x20) end -= 1
  return bytes.subarray(start, end)
}
