import { isOfOneMachine } from '../dial/dial-policy.js'
import { hostOf } from '../dial/ip-scope.js'
import { failureWords } from './failure-words.js'
import { fetchBootstraps } from './fetch-bootstraps.js'
import type { BootstrapSource, Resolution } from './parse-source.js'
import { SYSTEM_NAMES, type NameLookup, resolveDnsaddr } from './resolve-dnsaddr.js'

const SOURCE_TIMEOUT_MS = 5_000

/** Asks a source for addresses; takes at most 5 s, whatever is asked listens to its signal or not, and never throws. */
export async function resolveSource(
  source: BootstrapSource,
  signal: AbortSignal,
  names: NameLookup = SYSTEM_NAMES,
): Promise<Resolution> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(SOURCE_TIMEOUT_MS)])
  try {
    return await orAborted(ask(source, limited, names), limited)
  } catch (error) {
    if (limited.aborted) return { ok: false, reason: `it did not answer within ${SOURCE_TIMEOUT_MS / 1000} seconds` }
    return { ok: false, reason: failureWords(error) }
  }
}

async function ask(source: BootstrapSource, signal: AbortSignal, names: NameLookup): Promise<Resolution> {
  switch (source.kind) {
    case 'multiaddr':
      return { ok: true, addresses: [source.address], skipped: 0, beyond: 0 }
    case 'dnsaddr':
      return await resolveDnsaddr(source.address, names, signal)
    case 'http':
      return await fetchBootstraps(source.url, names, signal)
  }
}

async function orAborted<T>(task: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(new Error('given up'))
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([task, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
    // What is still under way ends in a rejection that nobody waits for.
    task.catch(() => undefined)
  }
}

/**
 * The addresses that count as named by the person who named their source: a list from elsewhere knows nothing of this
 * machine.
 */
export function namedAddresses(source: BootstrapSource, addresses: readonly string[]): string[] {
  const mayNameThisMachine =
    source.kind === 'multiaddr' ||
    (source.kind === 'http' && isOfOneMachine(new URL(source.url).hostname.replace(/^\[|\]$/g, '')))
  return addresses.filter((address) => mayNameThisMachine || !isOfOneMachine(hostOf(address)))
}
