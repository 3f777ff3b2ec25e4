/** One entry of a service's identity group, read. */
export type IdentityGroup =
  | { kind: 'all' }
  | { kind: 'any'; key: string }
  | { kind: 'exact'; key: string; value: string }
  | { kind: 'invalid'; reason: string }

/** Stands beside the models of a service whose server speaks Ollama's own interface (`/api/chat` and the like). */
export const OLLAMA_API = 'api=ollama'

/** The longest entry a row of the node table takes. */
const MAX_ENTRY_LENGTH = 512

/** Reads `all`, `key=*` or `key=value`; the key ends at the first `=`, so a value may hold more of them. */
export function parseIdentityGroup(entry: string): IdentityGroup {
  if (entry === 'all') return { kind: 'all' }
  if (entry.length > MAX_ENTRY_LENGTH) return { kind: 'invalid', reason: `longer than ${MAX_ENTRY_LENGTH} characters` }
  if (/\p{Cc}/u.test(entry)) return { kind: 'invalid', reason: 'holds a control character' }
  const split = entry.indexOf('=')
  if (split === -1) return { kind: 'invalid', reason: 'is neither key=value nor "all"' }
  const key = entry.slice(0, split)
  const value = entry.slice(split + 1)
  if (key.trim() === '' || value.trim() === '') return { kind: 'invalid', reason: 'has an empty key or value' }
  return value === '*' ? { kind: 'any', key } : { kind: 'exact', key, value }
}
