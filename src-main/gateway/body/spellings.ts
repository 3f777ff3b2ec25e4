/** A character that stands at a place of some bytes in one of its spellings, and where the next one begins. */
interface Reading {
  code: number
  end: number
}

/** Every way to read what stands at a place. */
export interface Readings {
  list: Reading[]
  /** The bytes end where a longer spelling may go on. */
  isCut: boolean
}

/** Backslashes in a row that are read as one escape: JSON in JSON doubles them each time. */
const MAX_BACKSLASHES = 8

/** `%2525…`: as often as a path is encoded again on its way. */
const MAX_PERCENT_ROUNDS = 4

const SLASH = 0x2f
export const BACKSLASH = 0x5c
export const PERCENT = 0x25
export const AMPERSAND = 0x26
export const PLUS = 0x2b
export const SPACE = 0x20
export const LETTER_U = 0x75
export const LETTER_X = 0x78
const BRACE = 0x7b

/** What `\b`, `\t`, `\n`, `\f` and `\r` stand for. */
const CONTROLS: ReadonlyMap<number, number> = new Map(
  Object.entries({ b: '\b', t: '\t', n: '\n', f: '\f', r: '\r' }).map(([letter, control]) => [
    letter.charCodeAt(0),
    control.charCodeAt(0),
  ]),
)

const ENTITIES: ReadonlyMap<string, number> = new Map(
  Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", sol: '/', bsol: '\\', colon: ':', nbsp: ' ' }).map(
    ([name, character]) => [name, character.charCodeAt(0)],
  ),
)

/** Characters behind `&`, the semicolon included. */
const MAX_ENTITY = 9
const ENTITY = /^(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,6}));/
const ENTITY_BEGUN = /^(?:#?|#\d{1,7}|#[xX][0-9a-fA-F]{0,6}|[a-z]{1,6})$/

/**
 * What stands at `at`: as it is (UTF-8, or Latin-1 where that is none), as an escape of JSON, Python or Rust (also JSON
 * in JSON), percent-encoded once or more, or as an HTML entity.
 */
export function readingsAt(data: Buffer, at: number): Readings {
  const first = data[at]
  if (first === undefined) return { list: [], isCut: true }
  if (first >= 0x80) return readUtf8(data, at, rawByte)
  const found: Readings = { list: [{ code: first, end: at + 1 }], isCut: false }
  if (first === BACKSLASH) addEscape(found, data, at)
  else if (first === PERCENT) addAll(found, readUtf8(data, at, percentByte))
  else if (first === AMPERSAND) addEntity(found, data, at)
  else if (first === PLUS) found.list.push({ code: SPACE, end: at + 1 })
  return found
}

/** Whether a path may be separated by this character. */
export const isSeparator = (code: number): boolean => code === SLASH || code === BACKSLASH

/**
 * A character as names are compared: without case and without what is set above or below it, so that composed and
 * decomposed letters are the same; none for a mark alone.
 */
export function folded(code: number): readonly number[] {
  if (code < 0x80) return [code >= 0x41 && code <= 0x5a ? code + 0x20 : code]
  if (code > 0x10ffff) return [code]
  const text = String.fromCodePoint(code).normalize('NFD').toLowerCase().normalize('NFD')
  return codesOf(text.replace(/[\p{Mn}\p{Me}]/gu, ''))
}

/** Whether a name goes on with this character. */
export function isWord(code: number): boolean {
  if (code < 0x80)
    return (
      (code >= 0x61 && code <= 0x7a) ||
      (code >= 0x41 && code <= 0x5a) ||
      (code >= 0x30 && code <= 0x39) ||
      code === 0x5f
    )
  return code <= 0x10ffff && /[\p{L}\p{N}_]/u.test(String.fromCodePoint(code))
}

export const codesOf = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0) ?? 0)

function addAll(found: Readings, more: Readings): void {
  found.list.push(...more.list)
  found.isCut ||= more.isCut
}

function addEscape(found: Readings, data: Buffer, at: number): void {
  let letterAt = at + 1
  while (data[letterAt] === BACKSLASH && letterAt - at < MAX_BACKSLASHES) letterAt += 1
  const letter = data[letterAt]
  if (letter === undefined) found.isCut = true
  else if (letter === LETTER_U) addCodePoint(found, data, letterAt)
  else if (letter === LETTER_X) addAll(found, readUtf8(data, at, hexByte))
  else if (letterAt === at + 1 && CONTROLS.has(letter)) {
    found.list.push({ code: CONTROLS.get(letter) ?? 0, end: letterAt + 1 })
  } else if (letter < 0x80 && !isWord(letter)) found.list.push({ code: letter, end: letterAt + 1 })
}

/** `uXXXX`, two of them for what lies beyond 16 bits, and `u{X…}`. */
function addCodePoint(found: Readings, data: Buffer, at: number): void {
  if (data[at + 1] === BRACE) {
    const text = data.toString('latin1', at + 2, at + 9)
    const [all, digits] = /^([0-9a-fA-F]{1,6})\}/.exec(text) ?? []
    if (all !== undefined && digits !== undefined) {
      found.list.push({ code: Number.parseInt(digits, 16), end: at + 2 + all.length })
    } else if (at + 2 + text.length === data.length && /^[0-9a-fA-F]{0,6}$/.test(text)) found.isCut = true
    return
  }
  const unit = hexAt(data, at + 1, 4)
  if (unit === 'cut') found.isCut = true
  if (typeof unit !== 'number') return
  const end = at + 5
  if (unit < 0xd800 || unit > 0xdbff) {
    found.list.push({ code: unit, end })
    return
  }
  let lowAt = end
  while (data[lowAt] === BACKSLASH && lowAt - end < MAX_BACKSLASHES) lowAt += 1
  const low = data[lowAt] === undefined ? 'cut' : data[lowAt] === LETTER_U ? hexAt(data, lowAt + 1, 4) : undefined
  if (low === 'cut') found.isCut = true
  else if (low !== undefined && low >= 0xdc00 && low <= 0xdfff) {
    found.list.push({ code: 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), end: lowAt + 5 })
  }
}

function addEntity(found: Readings, data: Buffer, at: number): void {
  const text = data.toString('latin1', at + 1, at + 1 + MAX_ENTITY)
  const [all, decimal, hex, name] = ENTITY.exec(text) ?? []
  if (all === undefined) {
    if (at + 1 + text.length === data.length && ENTITY_BEGUN.test(text)) found.isCut = true
    return
  }
  const code =
    name === undefined ? Number.parseInt(decimal ?? hex ?? '', decimal === undefined ? 16 : 10) : ENTITIES.get(name)
  if (code !== undefined) found.list.push({ code, end: at + 1 + all.length })
}

interface Byte {
  byte: number
  end: number
}

type ByteReader = (data: Buffer, at: number) => Byte | 'cut' | undefined

function rawByte(data: Buffer, at: number): Byte | 'cut' {
  const byte = data[at]
  return byte === undefined ? 'cut' : { byte, end: at + 1 }
}

/** `%C3`, or `%25C3` where it was encoded again. */
function percentByte(data: Buffer, at: number): Byte | 'cut' | undefined {
  if (data[at] !== PERCENT) return data[at] === undefined ? 'cut' : undefined
  let end = at + 1
  for (let round = 0; round <= MAX_PERCENT_ROUNDS; round += 1) {
    const byte = hexAt(data, end, 2)
    if (typeof byte !== 'number') return byte
    const deeper = byte === PERCENT ? hexAt(data, end + 2, 2) : undefined
    if (deeper === 'cut') return deeper
    if (deeper === undefined) return { byte, end: end + 2 }
    end += 2
  }
  return undefined
}

/** `\xC3`, as Python prints bytes. */
function hexByte(data: Buffer, at: number): Byte | 'cut' | undefined {
  let letterAt = at
  while (data[letterAt] === BACKSLASH && letterAt - at < MAX_BACKSLASHES) letterAt += 1
  if (data[letterAt] === undefined) return 'cut'
  if (letterAt === at || data[letterAt] !== LETTER_X) return undefined
  const byte = hexAt(data, letterAt + 1, 2)
  return typeof byte === 'number' ? { byte, end: letterAt + 3 } : byte
}

/** One character of UTF-8, or a byte of Latin-1 where the bytes are none. */
function readUtf8(data: Buffer, at: number, byteAt: ByteReader): Readings {
  const first = byteAt(data, at)
  if (first === undefined || first === 'cut') return { list: [], isCut: first === 'cut' }
  const alone = { code: first.byte, end: first.end }
  const length = first.byte < 0xc2 ? 1 : first.byte < 0xe0 ? 2 : first.byte < 0xf0 ? 3 : 4
  if (length === 1) return { list: [alone], isCut: false }
  let code = first.byte & (0xff >> (length + 1))
  let { end } = first
  for (let count = 1; count < length; count += 1) {
    const next = byteAt(data, end)
    if (next === 'cut') return { list: [alone], isCut: true }
    if (next === undefined || (next.byte & 0xc0) !== 0x80) return { list: [alone], isCut: false }
    code = (code << 6) | (next.byte & 0x3f)
    end = next.end
  }
  return { list: [{ code, end }], isCut: false }
}

/** The number in so many hexadecimal digits; `cut` where the bytes end among them. */
function hexAt(data: Buffer, at: number, digits: number): number | 'cut' | undefined {
  const text = data.toString('latin1', at, at + digits)
  if (!/^[0-9a-fA-F]*$/.test(text)) return undefined
  return text.length < digits ? 'cut' : Number.parseInt(text, 16)
}
