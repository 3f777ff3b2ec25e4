import { hostOf, relayOf, scopeOf, type Scope } from './ip-scope.js'

/** What decides in which order the addresses of a peer are tried. */
export interface DialFacts {
  /** True for a private address in a network this machine is part of. */
  isNear(host: string): boolean
  /** True for an address that did not answer a moment ago. */
  failedLately(address: string): boolean
}

/** TCP first: it is stopped by fewer firewalls than UDP, and a refused port says so at once. */
const TRANSPORTS = ['tcp', 'quic', 'ws'] as const

/**
 * Orders the addresses of one peer. Direct before relayed, but only as many direct tries as fit before an impatient
 * caller gives up: each silent one takes seconds. So: one address of each host that can answer (near ones, then
 * public), the relays, the other transports of those hosts, and last what is most likely of no use here: addresses
 * that failed lately, private ones of other networks, loopback ones of what may be another machine.
 */
export function dialOrder<T>(addresses: readonly T[], textOf: (address: T) => string, facts: DialFacts): T[] {
  const hostsSeen = new Set<string>()
  const ranked = addresses
    .map((address) => ({ address, text: textOf(address) }))
    .sort((a, b) => transportRank(a.text) - transportRank(b.text))
    .map(({ address, text }) => {
      const host = hostOf(text)
      const relayed = relayOf(text) !== undefined
      const first = relayed || !hostsSeen.has(host)
      if (!relayed && !facts.failedLately(text)) hostsSeen.add(host)
      return { address, rank: rankOf(text, { relayed, first }, facts) }
    })
  return ranked.sort((a, b) => a.rank - b.rank).map(({ address }) => address)
}

function rankOf(text: string, { relayed, first }: { relayed: boolean; first: boolean }, facts: DialFacts): number {
  const host = hostOf(text)
  const scope: Scope = relayed && host === '' ? 'public' : scopeOf(host)
  if (relayed) return facts.failedLately(text) ? 5 : 2
  if (facts.failedLately(text)) return 6
  const reachable = scope === 'public' || facts.isNear(host)
  if (!reachable) return scope === 'loopback' ? 8 : 7
  if (!first) return 4
  return scope === 'public' ? 1 : 0
}

function transportRank(text: string): number {
  const parts = text.split('/')
  const transport = parts.includes('quic-v1') ? 'quic' : parts.includes('ws') || parts.includes('wss') ? 'ws' : 'tcp'
  return TRANSPORTS.indexOf(transport)
}
