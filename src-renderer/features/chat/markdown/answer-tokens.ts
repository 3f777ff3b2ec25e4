import { Lexer, Marked, type Token, type TokenizerExtension, type Tokens, type TokensList } from 'marked'

/** A formula in an answer. */
export interface MathToken {
  type: 'math'
  raw: string
  /** TeX, without its delimiters. */
  text: string
  isBlock: boolean
}

/** Longer answers are shown as they are. */
const MAX_CHARS = 200_000
/** Quotes and lists inside of each other; what lies deeper is shown as it is. */
const MAX_DEPTH = 16
/** Signs in one paragraph that could begin or end something: the time it takes to read them grows with their square. */
const MAX_MARKS = 2_000
/** Parts of an answer that are drawn; one with more is shown as it is. */
const MAX_TOKENS = 20_000

/** Reads an answer in bounded time and depth, whatever its writer had in mind. */
class BoundedLexer extends Lexer {
  #depth = 0

  override blockTokens(src: string, tokens?: Token[], lastParagraphClipped?: boolean): Token[]
  override blockTokens(src: string, tokens?: TokensList, lastParagraphClipped?: boolean): TokensList
  override blockTokens(src: string, tokens: Token[] = [], lastParagraphClipped?: boolean): Token[] {
    if (this.#depth >= MAX_DEPTH) {
      tokens.push(asText(src))
      return tokens
    }
    this.#depth += 1
    try {
      return super.blockTokens(src, tokens, lastParagraphClipped)
    } finally {
      this.#depth -= 1
    }
  }

  override inlineTokens(src: string, tokens: Token[] = []): Token[] {
    if ((src.match(/[*_~`[\]<$\\]/g)?.length ?? 0) <= MAX_MARKS) return super.inlineTokens(src, tokens)
    tokens.push(asText(src))
    return tokens
  }
}

function asText(text: string): Tokens.Text {
  return { type: 'text', raw: text, text }
}

const BLOCK_MATH: TokenizerExtension = {
  name: 'blockMath',
  level: 'block',
  start: (src) => /\$\$|\\\[/.exec(src)?.index,
  tokenizer: (src) => math(/^ {0,3}(?:\$\$([^$]{1,4000}?)\$\$|\\\[([^]{1,4000}?)\\\]) *(?:\n|$)/.exec(src), true),
}

const INLINE_MATH: TokenizerExtension = {
  name: 'inlineMath',
  level: 'inline',
  start: (src) => /\$|\\\(/.exec(src)?.index,
  // A dollar before a digit that ends in front of a space is money.
  tokenizer: (src) =>
    math(
      /^(?:\$\$([^$\n]{1,1000})\$\$|\$([^\s$](?:[^$\n]{0,998}[^\s$\\])?)\$(?![\d\w])|\\\(([^\n]{1,1000}?)\\\))/.exec(
        src,
      ),
      false,
    ),
}

function math(found: RegExpExecArray | null, isBlock: boolean): MathToken | undefined {
  if (found === null) return undefined
  const raw = found[0]
  const parts: (string | undefined)[] = found.slice(1)
  return { type: 'math', raw, text: parts.find((part) => part !== undefined)?.trim() ?? '', isBlock }
}

const READER = new Marked({ gfm: true }).use({ extensions: [BLOCK_MATH, INLINE_MATH] })

/** The parts of an answer in Markdown; undefined where it has to be shown as plain text. */
export function tokensOf(text: string): Token[] | undefined {
  if (text.length > MAX_CHARS) return undefined
  try {
    const tokens = new BoundedLexer(READER.defaults).lex(text)
    let count = 0
    void READER.walkTokens(tokens, () => void (count += 1))
    return count > MAX_TOKENS ? undefined : tokens
  } catch (error) {
    // Too deep for the stack in a way that was not thought of.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' }

/** Text with the entities of HTML that models write, as the signs they stand for. */
export function withoutEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,4}));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
    },
  )
}

/** The address of a link that may be followed: of the web, or to write to. Everything else is text. */
export function safeHref(href: string): string | undefined {
  try {
    const url = new URL(href)
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : undefined
  } catch {
    return undefined // It is no address of its own: there is nothing beside an answer that it could mean.
  }
}
