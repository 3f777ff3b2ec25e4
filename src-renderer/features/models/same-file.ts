import type { ModelView } from '#shared/contract/models/models.js'

/** How the file of a provider compares with the one it is held against; undefined where one of both is not known. */
type Likeness = 'same' | 'other' | undefined

/** The digest that others are held against: this computer's own, else the one that most providers say. */
export function referenceDigest({ providers }: Pick<ModelView, 'providers'>): string | undefined {
  const own = providers.find(({ self }) => self)?.digest
  if (own !== undefined) return own
  const counts = new Map<string, number>()
  for (const { digest } of providers) if (digest !== undefined) counts.set(digest, (counts.get(digest) ?? 0) + 1)
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]?.[0]
}

/** Whether a provider has the same file. */
export function likenessOf(digest: string | undefined, reference: string | undefined): Likeness {
  if (digest === undefined || reference === undefined) return undefined
  return digest === reference ? 'same' : 'other'
}
