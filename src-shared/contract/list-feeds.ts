/**
 * By what the items of each list feed are told apart; every other feed is one value. Definitions and pages read it
 * here, so that a page applies changes without the schemas.
 */
export const LIST_FEED_KEYS = {
  bootstrap: ({ setting, source }: { setting: string; source: string }) => `${setting} ${source}`,
  detection: ({ address }: { address: string }) => address,
  invites: ({ id }: { id: string }) => id,
  logs: ({ seq }: { seq: number }) => String(seq),
  models: ({ id }: { id: string }) => id,
  nearby: ({ peerId }: { peerId: string }) => peerId,
  pairings: ({ peerId }: { peerId: string }) => peerId,
  peers: ({ peerId }: { peerId: string }) => peerId,
  people: ({ peerId }: { peerId: string }) => peerId,
  services: ({ id }: { id: string }) => id,
  shares: ({ id }: { id: string }) => id,
  traffic: ({ id }: { id: string }) => id,
} as const

/** The change of a list feed: items added or replaced, and the keys of those that left. */
export interface ListDelta<T> {
  set: T[]
  removed: string[]
}

/** The list after a change; new items go to the end, changed ones stay where they are. `before` is left as it was. */
export function applyListDelta<T>(
  keyOf: (item: T) => string,
  before: readonly T[],
  { set, removed }: ListDelta<T>,
): T[] {
  const next = new Map(before.map((entry) => [keyOf(entry), entry]))
  for (const key of removed) next.delete(key)
  for (const entry of set) next.set(keyOf(entry), entry)
  return [...next.values()]
}
