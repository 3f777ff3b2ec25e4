/** The longest model id that is published, in characters. */
const MAX_MODEL_ID_LENGTH = 200

/** What is never part of a name: control, format (bidirectional, zero-width) and lone surrogate characters, line ends. */
export const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

/** Whether an id can be announced: `*` would be the wildcard; control and invisible characters make two names look alike. */
export function isPublishable(id: string): boolean {
  return (
    id.length <= MAX_MODEL_ID_LENGTH && id.trim() === id && !['', '*', '.', '..', '~'].includes(id) && !UNSEEN.test(id)
  )
}

/** Characters that few can tell from the one before them, beyond those that Unicode's NFKC makes the same. */
const TWINS: readonly string[] = [
  '.·‧∙⋅•。۔܁܂ꓸ',
  '-‐‑‒–—―−⁃',
  '/⁄∕╱',
  ':꞉∶ː׃',
  '_ˍ',
  'aаα',
  'bЬ',
  'cсϲ',
  'dԁ',
  'eеҽ',
  'gɡ',
  'hһ',
  'iіıι',
  'jј',
  'kκк',
  'lӏ',
  'mм',
  'nո',
  'oоοօ',
  'pрρ',
  'qԛ',
  'sѕ',
  'tтτ',
  'uսυ',
  'vνѵ',
  'wԝ',
  'xхχ',
  'yуγ',
  '3зӡ',
]

const PLAIN_OF: ReadonlyMap<string, string> = new Map(
  TWINS.flatMap(([plain = '', ...others]) => others.map((other): [string, string] => [other, plain])),
)

/** Nothing in it needs folding but its case: as nearly every id. */
const PLAIN = /^[!-~]*$/

/**
 * What two names have in common that a person takes for one: compatibility forms (NFKC), case, marks, spaces and
 * invisible characters count for nothing, and letters, dots and strokes of other scripts for those they look like.
 */
export function skeletonOf(name: string): string {
  if (PLAIN.test(name)) return name.toLowerCase()
  const folded = name.normalize('NFKD').toLowerCase().normalize('NFKD')
  const bare = folded.replaceAll(/[\p{C}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}]/gu, '')
  return Array.from(bare, (character) => PLAIN_OF.get(character) ?? character).join('')
}

/** A name without anything that only looks like something else; case apart, it is its own skeleton. */
export function isPlainName(name: string): boolean {
  return skeletonOf(name) === name.toLowerCase()
}

/**
 * What Ollama takes a name for: no host or namespace means its own library, no tag means `latest`, and case counts for
 * nothing. Two names of one model have the same.
 */
export function ollamaKeyOf(name: string): string {
  const bare = name
    .trim()
    .toLowerCase()
    .replace(/^(?:registry\.ollama\.ai\/)?(?:library\/)?/, '')
  return bare.slice(bare.lastIndexOf('/') + 1).includes(':') ? bare : `${bare}:latest`
}
