import { lookup } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { failureWords } from './failure-words.js'
import { readEntries, type Resolution } from './parse-source.js'

/** How names are looked up; tests bring their own, so that no question leaves the machine. */
export interface NameLookup {
  /** The addresses of a host name, as `net.connect` asks for them. */
  lookup: LookupFunction
  /** The TXT records of a name, each in its pieces. Rejects when `signal` aborts. */
  resolveTxt(name: string, signal: AbortSignal): Promise<string[][]>
}

/** The system's. */
export const SYSTEM_NAMES: NameLookup = {
  lookup,
  async resolveTxt(name, signal) {
    const resolver = new Resolver({ timeout: 2_000, tries: 2 })
    const cancel = (): void => resolver.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      return await resolver.resolveTxt(name)
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  },
}

const MAX_DEPTH = 3
const MAX_QUERIES = 16
/** Records of one answer that are read. */
const MAX_RECORDS = 200

/**
 * Follows TXT records `dnsaddr=…` of `_dnsaddr.<host>`; `/dnsaddr/host/p2p/ID` keeps that peer's addresses only. No name
 * is asked for twice, so a loop ends. A name further down that fails costs only what it would have told.
 */
export async function resolveDnsaddr(
  address: string,
  { resolveTxt }: Pick<NameLookup, 'resolveTxt'>,
  signal: AbortSignal,
): Promise<Resolution> {
  const asked = new Set<string>()
  const found: string[] = []
  let failure: string | undefined

  async function follow(next: string, depth: number): Promise<void> {
    signal.throwIfAborted()
    const [, , host = '', ...rest] = next.split('/')
    const suffix = rest.length === 0 ? '' : `/${rest.join('/')}`
    if (asked.has(next) || asked.size >= MAX_QUERIES) return
    asked.add(next)
    for (const entry of await entriesOf(host)) {
      if (!entry.endsWith(suffix)) continue
      if (!entry.startsWith('/dnsaddr/')) found.push(entry)
      else if (depth < MAX_DEPTH) await follow(entry, depth + 1)
    }
  }

  async function entriesOf(host: string): Promise<string[]> {
    try {
      const records = await resolveTxt(`_dnsaddr.${host}`, signal)
      return records.slice(0, MAX_RECORDS).flatMap((record) => dnsaddrEntry(record) ?? [])
    } catch (error) {
      signal.throwIfAborted()
      failure ??= failureWords(error)
      return []
    }
  }

  await follow(address, 1)
  if (found.length > 0) return readEntries(found)
  return { ok: false, reason: failure ?? 'it has no record that tells an address of a peer' }
}

function dnsaddrEntry(record: readonly string[]): string | undefined {
  const text = record.join('')
  return text.startsWith('dnsaddr=') ? text.slice('dnsaddr='.length) : undefined
}
