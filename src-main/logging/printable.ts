const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

/**
 * The text with control characters, line separators and direction marks written out as `\u001b`: what a peer sent must
 * not forge lines, colour a terminal or move its cursor. `keep` lists characters to leave alone.
 */
export function printable(text: string, keep = ''): string {
  return text.replaceAll(UNPRINTABLE, (char) =>
    keep.includes(char) ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
