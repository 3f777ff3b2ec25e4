/** What is wanted of a provider, by its peer id. */
export type Preferences = Readonly<Record<string, 'prefer' | 'exclude'>>

/** The gateway's headers that say so; the same ones work from any app. */
const PREFER_HEADER = 'X-Ocf-Prefer'
const EXCLUDE_HEADER = 'X-Ocf-Exclude'

/** The request headers for some preferences; none for none. */
export function headersFor(preferences: Preferences): Record<string, string> {
  const idsOf = (wanted: 'prefer' | 'exclude'): string =>
    Object.entries(preferences)
      .filter(([, use]) => use === wanted)
      .map(([peerId]) => peerId)
      .join(', ')
  const headers: Record<string, string> = {}
  const [prefer, exclude] = [idsOf('prefer'), idsOf('exclude')]
  if (prefer !== '') headers[PREFER_HEADER] = prefer
  if (exclude !== '') headers[EXCLUDE_HEADER] = exclude
  return headers
}

/** Preferences after a choice for one peer; only one can be preferred. */
export function choose(preferences: Preferences, peerId: string, use: 'any' | 'prefer' | 'exclude'): Preferences {
  const { [peerId]: _before, ...others } = preferences
  if (use === 'any') return others
  if (use === 'exclude') return { ...others, [peerId]: use }
  const excluded = Object.entries(others).filter(([, other]) => other === 'exclude')
  return { ...Object.fromEntries(excluded), [peerId]: use }
}
