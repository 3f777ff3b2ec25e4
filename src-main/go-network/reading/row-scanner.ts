const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Bytes of a row that is read, and of its key. One of the Go program has some 900. */
const MAX_ROW_BYTES = 64 * 1024

/**
 * Takes the rows out of a node table as it comes in: the members of one JSON object whose values are objects. Only one of
 * them is held at a time, however long the table is. What is no JSON gives rows that can't be parsed, or none.
 */
export class RowScanner {
  readonly #onRow: (key: string, json: string) => void
  #depth = 0
  #inString = false
  #isEscaped = false
  #key: string | undefined
  #collecting: 'key' | 'row' | undefined
  #parts: Buffer[] = []
  #bytes = 0

  /** `onRow` hears of each row, as its JSON. */
  constructor(onRow: (key: string, json: string) => void) {
    this.#onRow = onRow
  }

  /** The next bytes of the table. */
  push(piece: Buffer): void {
    let from = 0
    for (let at = 0; at < piece.byteLength; at += 1) {
      const byte = piece[at]
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (byte === BACKSLASH) this.#isEscaped = true
        else if (byte === QUOTE) {
          this.#inString = false
          if (this.#collecting === 'key') this.#endKey(piece.subarray(from, at + 1))
        }
      } else if (byte === QUOTE) {
        this.#inString = true
        if (this.#depth === 1 && this.#key === undefined) from = this.#begin('key', at)
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        this.#depth += 1
        const isRow = this.#depth === 2 && byte === OPEN_BRACE && this.#key !== undefined
        if (isRow) from = this.#begin('row', at)
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth -= 1
        if (this.#depth === 1 && this.#collecting === 'row') this.#endRow(piece.subarray(from, at + 1))
      } else if (byte === COMMA && this.#depth === 1) this.#key = undefined
    }
    if (this.#collecting !== undefined) this.#keep(piece.subarray(from))
  }

  #begin(what: 'key' | 'row', at: number): number {
    this.#collecting = what
    this.#parts = []
    this.#bytes = 0
    return at
  }

  #keep(bytes: Buffer): void {
    this.#bytes += bytes.byteLength
    if (this.#bytes <= MAX_ROW_BYTES) this.#parts.push(bytes)
    else this.#parts = []
  }

  #collected(rest: Buffer): string | undefined {
    this.#keep(rest)
    const text = this.#bytes <= MAX_ROW_BYTES ? Buffer.concat(this.#parts).toString('utf8') : undefined
    this.#collecting = undefined
    this.#parts = []
    return text
  }

  #endKey(rest: Buffer): void {
    this.#key = parsed(this.#collected(rest)) ?? ''
  }

  #endRow(rest: Buffer): void {
    const json = this.#collected(rest)
    if (json !== undefined && this.#key !== undefined) this.#onRow(this.#key, json)
  }
}

function parsed(json: string | undefined): string | undefined {
  try {
    return json === undefined ? undefined : (JSON.parse(json) as string)
  } catch {
    return undefined
  }
}
