import { hostOf, relayOf, scopeOf } from '../dial/ip-scope.js'

/** Circuit addresses told per relay: each is tried in turn, and each transport of the relay leads to the same place. */
const MAX_PER_RELAY = 2

const LINK_LOCAL = /^\/ip6\/fe[89ab][0-9a-f]:/i

/**
 * The addresses worth telling others. Link-local ones mean nothing without the interface they belong to. A relay tells
 * all of its own addresses; of the circuits over it, the farthest-reaching are told, TCP before the others.
 */
export function worthAnnouncing<T>(addresses: readonly T[], textOf: (address: T) => string): T[] {
  const all = addresses
    .map((address) => ({ address, text: textOf(address) }))
    .filter(({ text }) => !LINK_LOCAL.test(text))
  const direct = all.filter(({ text }) => relayOf(text) === undefined)
  const circuits = Map.groupBy(
    all.filter(({ text }) => relayOf(text) !== undefined),
    ({ text }) => relayOf(text),
  )
  const chosen = [...circuits.values()].flatMap((list) =>
    list.toSorted((a, b) => circuitRank(a.text) - circuitRank(b.text)).slice(0, MAX_PER_RELAY),
  )
  return [...direct, ...chosen].map(({ address }) => address)
}

function circuitRank(text: string): number {
  const scope = { public: 0, private: 10, loopback: 20 }[scopeOf(hostOf(text))]
  const parts = text.split('/')
  return scope + (parts.includes('quic-v1') ? 1 : parts.includes('ws') ? 2 : 0)
}
