/** What a {@link TokenCounter} found out. */
export interface TokenCount {
  /** Tokens of the answer. */
  count: number
  /** Whether the server reported them or the pieces with content were counted. */
  from: 'usage' | 'chunks'
  /** Tokens of the request; null where the server did not report them. */
  input: number | null
}

/** Watches an answer go by and counts its tokens. */
export interface TokenCounter {
  /** A piece of the body, as it came: pieces may be cut anywhere. */
  push(chunk: Buffer): void
  /** What is known so far; null when nothing is. */
  result(): TokenCount | null
}

/** The most that is ever kept of an answer: its unfinished line, or the end of its JSON, where usage stands. */
const MAX_TAIL = 64 * 1024

/** Longer than any usage object. */
const MAX_USAGE = 4096

/**
 * A counter for one answer, or undefined for answers that can't be read (compressed ones, other content types).
 * Understands OpenAI's event streams and JSON, Anthropic's events and Ollama's NDJSON.
 */
export function createTokenCounter(
  contentType: string | undefined,
  contentEncoding: string | undefined,
): TokenCounter | undefined {
  if (contentType === undefined || (contentEncoding !== undefined && contentEncoding !== 'identity')) return undefined
  if (/^text\/event-stream\b/i.test(contentType)) return createLineCounter(EVENTS)
  if (/^application\/(x-)?(nd|json-?l(ines)?\b)/i.test(contentType)) return createLineCounter(JSON_LINES)
  if (/^application\/json\b/i.test(contentType)) return createTailCounter()
  return undefined
}

interface Usage {
  input: number | null
  output: number | null
}

interface Found extends Usage {
  /** Lines that carried a piece of the answer. */
  pieces: number
}

/** How the lines of one format are read. */
interface LineFormat {
  read: (line: string, found: Found) => void
  /** What carries a piece of the answer. */
  piece: RegExp
  /** Where one of these is, counts may be: such lines are read. */
  counts: readonly Buffer[]
  /** What every line with a piece begins with; others that are not overlong say nothing. */
  prefix: Buffer
}

/**
 * Nearly every line is like the one before it: `{"choices":[{"delta":{"content":"`, a word and some braces. Where the
 * beginning of the last piece stands in a line, it is counted as it lies there; only other lines are made strings and read.
 */
function createLineCounter({ read, piece, counts, prefix }: LineFormat): TokenCounter {
  const found: Found = { input: null, output: null, pieces: 0 }
  /** What the last piece began with: `"content":"`. */
  let known: Buffer | undefined
  /** The beginning of an unfinished line; of an overlong one its end, which `read` then sees as no line. */
  let rest = ''

  /** Counts whole lines at the beginning of a piece where they lie; returns where it ended. */
  function readKnown(chunk: Buffer): number {
    for (let from = 0; from < chunk.length;) {
      const end = chunk.indexOf(LF, from)
      if (end === -1 || end - from > MAX_TAIL) return from
      if (beginsWith(chunk, from, prefix)) {
        const knownAt = known === undefined ? -1 : chunk.indexOf(known, from)
        const behind = knownAt === -1 ? end : knownAt + (known?.length ?? 0)
        if (behind < end && chunk[behind] !== QUOTE) {
          if (countsByType(chunk, from, end)) found.pieces += 1
        } else {
          const line = chunk.toString('latin1', from, end)
          read(line, found)
          const [begin] = piece.exec(line) ?? []
          if (begin !== undefined) known = Buffer.from(begin, 'latin1')
        }
      }
      from = end + 1
    }
    return chunk.length
  }

  return {
    push(given) {
      const at = rest === '' && !counts.some((count) => given.includes(count)) ? readKnown(given) : 0
      if (at === given.length) return
      // One byte is one character: cheap, and all that is looked for is ASCII.
      const text = given.toString('latin1', at)
      let from = 0
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
        const line = rest === '' ? text.slice(from, end) : rest + text.slice(from, end)
        read(tailOf(line), found)
        rest = ''
        from = end + 1
      }
      if (from < text.length) rest += text.slice(from)
      if (rest.length > 2 * MAX_TAIL) rest = tailOf(rest)
    },
    result() {
      const total: Found = { ...found }
      if (rest !== '') read(tailOf(rest), total)
      const { input, output, pieces } = total
      if (output !== null || input !== null)
        return { count: output ?? pieces, from: output === null ? 'chunks' : 'usage', input }
      return pieces === 0 ? null : { count: pieces, from: 'chunks', input: null }
    },
  }
}

function createTailCounter(): TokenCounter {
  let tail = ''
  return {
    push(chunk) {
      tail += chunk.toString('latin1', Math.max(0, chunk.length - MAX_TAIL))
      if (tail.length > 2 * MAX_TAIL) tail = tailOf(tail)
    },
    result() {
      const end = tailOf(tail)
      const usage = usageIn(end) ?? evalCountsIn(end)
      if (usage === undefined) return null
      // An answer without generated tokens (embeddings) reports the request's only.
      return { count: usage.output ?? 0, from: 'usage', input: usage.input }
    },
  }
}

const LF = 0x0a
const QUOTE = 0x22
const TYPE = Buffer.from('"type":')
const DELTA = Buffer.from('delta')
const USAGE = Buffer.from('"usage"')

function beginsWith(bytes: Buffer, from: number, beginning: Buffer): boolean {
  for (let at = 0; at < beginning.length; at += 1) if (bytes[from + at] !== beginning[at]) return false
  return true
}

/** Whether an event with a piece in it counts, going by the type that some name first: see {@link readEventLine}. */
function countsByType(bytes: Buffer, from: number, end: number): boolean {
  for (let at = from; at <= from + MAX_BEFORE_TYPE; at += 1) {
    if (bytes[at] !== QUOTE || !beginsWith(bytes, at, TYPE)) continue
    const closing = bytes.indexOf(QUOTE, bytes.indexOf(QUOTE, at + TYPE.length) + 1)
    return closing !== -1 && closing < end && beginsWith(bytes, closing - DELTA.length, DELTA)
  }
  return true
}

const tailOf = (text: string): string => (text.length > MAX_TAIL ? text.slice(-MAX_TAIL) : text)

/** A field that holds a piece of the answer; an empty one (the first event's role) is none. */
const PIECE = /"(?:content|text|delta|reasoning|reasoning_content|thinking|arguments|partial_json)":\s*"(?!")/

/** `data: {` and a little room. */
const MAX_BEFORE_TYPE = 12

function readEventLine(line: string, found: Found): void {
  const whole = line.startsWith('data:')
  if (!whole && line.length < MAX_TAIL) return
  takeUsage(line, found)
  if (!whole || !PIECE.test(line)) return
  // OpenAI's responses and Anthropic's messages repeat the text in events that end a part of it; each names its type first.
  const typed = line.indexOf('"type":')
  if (typed === -1 || typed > MAX_BEFORE_TYPE || isDelta(line, typed)) found.pieces += 1
}

/** Whether the event's own type ends in `delta`; OpenAI's chat chunks have none. */
function isDelta(line: string, typed: number): boolean {
  const begin = line.indexOf('"', typed + 7)
  const end = line.indexOf('"', begin + 1)
  return line.startsWith('delta', end - 5)
}

const EVENTS: LineFormat = { read: readEventLine, piece: PIECE, counts: [USAGE], prefix: Buffer.from('data:') }

const NDJSON_PIECE = /"(?:content|response|thinking)":\s*"(?!")/

function readJsonLine(line: string, found: Found): void {
  const counts = evalCountsIn(line)
  if (counts !== undefined) merge(found, counts)
  else takeUsage(line, found)
  if (NDJSON_PIECE.test(line)) found.pieces += 1
}

const JSON_LINES: LineFormat = {
  read: readJsonLine,
  piece: NDJSON_PIECE,
  counts: [USAGE, Buffer.from('"eval_count":')],
  prefix: Buffer.alloc(0),
}

function takeUsage(line: string, found: Found): void {
  const usage = usageIn(line)
  if (usage !== undefined) merge(found, usage)
}

/** Anthropic reports the request's tokens in its first event and the answer's in its last. */
function merge(found: Found, usage: Usage): void {
  found.input = usage.input ?? found.input
  found.output = usage.output ?? found.output
}

/** The last `"usage": {…}` of a text. Inside a JSON string the quotes would be escaped, so content can't forge it. */
function usageIn(text: string): Usage | undefined {
  for (let at = text.lastIndexOf('"usage"'); at !== -1; at = at === 0 ? -1 : text.lastIndexOf('"usage"', at - 1)) {
    const begin = text.indexOf('{', at + 7)
    if (begin === -1 || text.slice(at + 7, begin).trim() !== ':') continue
    const usage = parseUsage(text, begin)
    if (usage !== undefined) return usage
  }
  return undefined
}

function parseUsage(text: string, begin: number): Usage | undefined {
  const end = endOfObject(text, begin)
  if (end === -1) return undefined
  let object: Record<string, unknown>
  try {
    object = JSON.parse(text.slice(begin, end)) as Record<string, unknown>
  } catch {
    return undefined // Not JSON after all, so no usage.
  }
  const input = countOf(object['prompt_tokens'] ?? object['input_tokens'])
  const output = countOf(object['completion_tokens'] ?? object['output_tokens'])
  return input === null && output === null ? undefined : { input, output }
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

/** Offset behind the brace that closes the one at `begin`; -1 where there is none near. Usage has no braces in strings. */
function endOfObject(text: string, begin: number): number {
  let depth = 0
  const limit = Math.min(text.length, begin + MAX_USAGE)
  for (let at = begin; at < limit; at += 1) {
    const char = text.charCodeAt(at)
    if (char === 0x7b) depth += 1
    else if (char === 0x7d && --depth === 0) return at + 1
  }
  return -1
}

/** Ollama's own counts. */
function evalCountsIn(text: string): Usage | undefined {
  if (!text.includes('"eval_count":')) return undefined
  const output = /"eval_count":\s*(\d{1,15})\b/.exec(text)
  const input = /"prompt_eval_count":\s*(\d{1,15})\b/.exec(text)
  return { input: input === null ? null : Number(input[1]), output: output === null ? null : Number(output[1]) }
}
