/** The longest name of a person or a node, in characters. */
export const MAX_NAME_LENGTH = 64

/** Marks on top of one letter beyond which it runs into the lines around it. */
const PILED_MARKS = /(\p{M}{3})\p{M}+/gu

/** Control, format (bidirectional, zero-width), unassigned and invisible characters, and lone surrogates. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}]/gu

/**
 * A name as it may be stored and shown, whoever wrote it: composed (NFC), on one line, without anything that cannot be
 * seen, at most {@link MAX_NAME_LENGTH} characters. Empty where nothing is left.
 */
export function cleanName(text: string): string {
  const seen = text
    .slice(0, 16 * MAX_NAME_LENGTH)
    .normalize('NFC')
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(UNSEEN, '')
    .replaceAll(PILED_MARKS, '$1')
  return Array.from(seen.replaceAll(/ +/g, ' ').trim()).slice(0, MAX_NAME_LENGTH).join('').trim()
}

/** A peer id as short as people compare it. */
export const shortId = (peerId: string): string => `…${peerId.slice(-6)}`
