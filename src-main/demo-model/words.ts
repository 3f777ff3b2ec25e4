/** One word, number or punctuation mark: what this model counts as a token. */
const WORD = /[\p{L}\p{N}]+(?:['’.-][\p{L}\p{N}]+)*|[.,;:!?]/gu

/** The words and marks of a text, in order. */
export function toWords(text: string): string[] {
  return text.match(WORD) ?? []
}

/** Whether a sentence ends with it. */
export function endsSentence(word: string): boolean {
  return word === '.' || word === '!' || word === '?'
}

/** The word as it stands in running text: with the space before it, where one belongs. */
export function inRunningText(word: string, isFirst: boolean): string {
  return isFirst || /^[.,;:!?]$/.test(word) ? word : ` ${word}`
}
