/** A part of a text: as it is, or a mark that would not be seen, by its code point. */
interface TextPart {
  text: string
  /** `U+202E`; undefined for plain text. */
  mark?: string
}

/** Code points that take no room: controls, marks that turn the direction or join letters, fillers, tags. */
const HIDDEN: readonly (readonly [from: number, to: number])[] = [
  ...([
    [0x00, 0x08],
    [0x0b, 0x0c],
    [0x0e, 0x1f],
    [0x7f, 0x9f],
    [0xad, 0xad],
    [0x34f, 0x34f],
    [0x61c, 0x61c],
  ] as const),
  ...([
    [0x115f, 0x1160],
    [0x17b4, 0x17b5],
    [0x180b, 0x180e],
    [0x200b, 0x200f],
    [0x2028, 0x202e],
  ] as const),
  ...([
    [0x2060, 0x206f],
    [0x3164, 0x3164],
    [0xfeff, 0xfeff],
    [0xfff9, 0xfffb],
    [0xe0000, 0xe0fff],
  ] as const),
]

/** Scripts in which a joiner or a mark of direction behind a letter is ordinary writing. */
const JOINS =
  /[\p{sc=Arab}\p{sc=Hebr}\p{sc=Syrc}\p{sc=Deva}\p{sc=Beng}\p{sc=Taml}\p{sc=Telu}\p{sc=Knda}\p{sc=Mlym}\p{sc=Sinh}\p{sc=Khmr}]/u
const PICTURE = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]/u

/** Takes a text apart at what can't be seen in it, so that it can be shown. A text without such marks is one part. */
export function partsOf(text: string): TextPart[] {
  const characters = Array.from(text)
  const parts: TextPart[] = []
  let plain = ''
  for (const [index, character] of characters.entries()) {
    const code = character.codePointAt(0) ?? 0
    if (!isHidden(code) || isOrdinary(code, characters[index - 1], characters[index + 1])) {
      plain += character
      continue
    }
    if (plain !== '') parts.push({ text: plain })
    plain = ''
    parts.push({ text: character, mark: `U+${code.toString(16).toUpperCase().padStart(4, '0')}` })
  }
  return plain === '' && parts.length > 0 ? parts : [...parts, { text: plain }]
}

/** A text in which what can't be seen is written by its code: for where it can be no more than a text. */
export function visibleText(text: string): string {
  return partsOf(text)
    .map(({ text: own, mark }) => mark ?? own)
    .join('')
}

function isHidden(code: number): boolean {
  return HIDDEN.some(([from, to]) => from <= code && code <= to)
}

/** Emoji are joined, and so are letters of some scripts. */
function isOrdinary(code: number, before = '', after = ''): boolean {
  if (code === 0x200d && PICTURE.test(before) && PICTURE.test(after)) return true
  return code >= 0x200c && code <= 0x200f && (JOINS.test(before) || JOINS.test(after))
}
