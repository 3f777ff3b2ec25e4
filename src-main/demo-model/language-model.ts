import type { Random } from './random.js'
import { endsSentence, toWords } from './words.js'

/** How one text is to be written. */
export interface WritingWishes {
  /** Words of the question; the text begins with one of them, where sentences the model has read do so. */
  promptWords: readonly string[]
  random: Random
  /** 0: always the likeliest word; 1: as often as it was read; more: wilder. */
  temperature: number
}

/** A word model: how often which word followed which two. */
export interface LanguageModel {
  /** Words without end; the reader decides when it is enough. */
  write(wishes: WritingWishes): Generator<string, never>
  readonly vocabularySize: number
}

type Counts = Map<string, number>

/** Stands before the first word of a sentence. */
const START = '\n'

/** Below this share of the text a word of the question counts as telling. */
const COMMON_WORD_SHARE = 0.01

/** What a sentence about a thing begins with. */
const ARTICLES = ['The', 'A', 'An']

/** Learns from a text: pairs and triples of words, sentence by sentence. */
export function learn(text: string): LanguageModel {
  const followers = new Map<string, Counts>()
  const frequency: Counts = new Map()
  let total = 0
  for (const sentence of toSentences(text)) {
    let before = START
    let last = START
    for (const word of sentence) {
      count(followers, last, word)
      count(followers, pairOf(before, last), word)
      frequency.set(word, (frequency.get(word) ?? 0) + 1)
      total += 1
      before = last
      last = word
    }
  }
  if (total === 0) throw new Error('a language model needs at least one sentence to learn from')

  /** A beginning of a sentence with a telling word of the question in it, if there is one. */
  function openingOf(promptWords: readonly string[]): string[] {
    const telling = promptWords
      .flatMap((word) => [word.toLowerCase(), word])
      .filter((word) => word.length > 3 && (frequency.get(word) ?? 0) < Math.max(3, total * COMMON_WORD_SHARE))
    for (const word of telling) {
      const article = ARTICLES.find((first) => followers.get(pairOf(START, first))?.has(word) === true)
      if (article !== undefined) return [article, word]
      if (followers.get(START)?.has(capitalised(word)) === true) return [capitalised(word)]
    }
    return []
  }

  function* write({ promptWords, random, temperature }: WritingWishes): Generator<string, never> {
    let before = START
    let last = START
    for (const word of openingOf(promptWords)) {
      yield word
      ;[before, last] = [last, word]
    }
    for (;;) {
      const counts = followers.get(pairOf(before, last)) ?? followers.get(last) ?? followers.get(START)
      const word = pick(counts ?? frequency, temperature, random)
      yield last === START ? capitalised(word) : word
      ;[before, last] = endsSentence(word) ? [START, START] : [last, word]
    }
  }

  return { write, vocabularySize: frequency.size }
}

function toSentences(text: string): string[][] {
  const sentences: string[][] = []
  for (const paragraph of text.split(/\n\s*\n/)) {
    let sentence: string[] = []
    for (const word of toWords(paragraph)) {
      sentence.push(word)
      if (!endsSentence(word)) continue
      if (sentence.length > 2) sentences.push(sentence)
      sentence = []
    }
  }
  return sentences
}

function count(followers: Map<string, Counts>, context: string, word: string): void {
  const counts = followers.get(context)
  if (counts === undefined) followers.set(context, new Map([[word, 1]]))
  else counts.set(word, (counts.get(word) ?? 0) + 1)
}

function pairOf(before: string, last: string): string {
  return `${before} ${last}`
}

function pick(counts: Counts, temperature: number, random: Random): string {
  const entries = [...counts]
  if (temperature <= 0) return entries.reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0]
  const weights = entries.map(([, times]) => times ** (1 / Math.max(temperature, 0.05)))
  let rest = random() * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [index, [word]] of entries.entries()) {
    rest -= weights[index] ?? 0
    if (rest < 0) return word
  }
  return entries[entries.length - 1]?.[0] ?? '.'
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
