/** The English words with those of a translation in their place; what it lacks stays English. */
export function translated<Words>(english: Words, translation: unknown): Words {
  if (!isGroup(english) || !isGroup(translation)) {
    return typeof translation === typeof english ? (translation as Words) : english
  }
  const entries = Object.entries(english).map(([key, words]) => [key, translated(words, translation[key])])
  return Object.fromEntries(entries) as Words
}

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
