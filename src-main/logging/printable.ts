/** Controls, line separators, direction marks, what has no shape, and what takes no room: zero-width marks, tags. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/**
 * The text with everything written out as `\u001b` that can't be seen, or moves what can: what a peer sent must not forge
 * lines, colour a terminal, move its cursor or look like another name. In JSON it means the same as before. `keep` lists
 * characters to leave alone.
 */
export function printable(text: string, keep = ''): string {
  return text.replaceAll(UNPRINTABLE, (char) => (keep.includes(char) ? char : escaped(char)))
}

/** Beyond the basic plane two escapes, as JSON has them. */
function escaped(char: string): string {
  const units = Array.from({ length: char.length }, (_, index) => char.charCodeAt(index))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
