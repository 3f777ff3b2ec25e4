import { lookup } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'

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
