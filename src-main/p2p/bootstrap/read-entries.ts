import { dialableMultiaddr } from './parse-source.js'

/** What asking a source came to. */
export type Resolution =
  | {
      ok: true
      addresses: string[]
      /** Entries that are no addresses. */
      skipped: number
      /** Entries that were not looked at, because there were too many. */
      beyond: number
    }
  | { ok: false; reason: string }

const MAX_ADDRESSES = 500
/** Far more than anybody needs, and few enough to be read without anyone noticing. */
const MAX_ENTRIES = 2_000
const MAX_ADDRESS_CHARS = 512

/** The addresses in a list from outside, each once; an empty one is a failure. */
export function readEntries(entries: readonly unknown[]): Resolution {
  const addresses = new Set<string>()
  let skipped = 0
  let read = 0
  for (const entry of entries) {
    if (read >= MAX_ENTRIES || addresses.size >= MAX_ADDRESSES) break
    read += 1
    const isText = typeof entry === 'string' && entry.length <= MAX_ADDRESS_CHARS
    const address = isText ? dialableMultiaddr(entry) : undefined
    if (address === undefined) skipped += 1
    else addresses.add(address)
  }
  if (entries.length === 0) return { ok: false, reason: 'it tells no address of a peer' }
  if (addresses.size === 0) return { ok: false, reason: `none of the first ${read} entries it tells is an address` }
  return { ok: true, addresses: [...addresses], skipped, beyond: entries.length - read }
}

/** What is odd about the entries of a source that answered; undefined when nothing is. */
export function oddEntries({ skipped, beyond }: Extract<Resolution, { ok: true }>): string | undefined {
  const notes = [
    ...(skipped === 0 ? [] : [skipped === 1 ? '1 entry is no address' : `${skipped} entries are no addresses`]),
    ...(beyond === 0 ? [] : [`${beyond} more entries were not read`]),
  ]
  return notes.length === 0 ? undefined : notes.join(', ')
}
