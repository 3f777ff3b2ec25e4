import { isIPv4, isIPv6 } from 'node:net'
import { transportRank } from '../dial/dial-order.js'
import { hostOf, relayOf, scopeOf } from '../dial/ip-scope.js'

/** The ports this node listens on; `undefined` where it does not. */
export interface ListenPorts {
  tcp: number | undefined
  ws: number | undefined
  udp: number | undefined
}

/** `public-addr`, taken apart: an IP address or host name and the TCP port given with it. */
export interface PublicAddress {
  family: 'ip4' | 'ip6' | 'dns'
  host: string
  port: number | undefined
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?$/i

/** Reads `203.0.113.7`, `2001:db8::1`, `[2001:db8::1]:4001`, `node.example.org`, `node.example.org:4001`. */
export function parsePublicAddress(text: string): PublicAddress | undefined {
  const trimmed = text.trim()
  // A zone means nothing to other machines, and 0.0.0.0 is listened on, not reached.
  if (trimmed.includes('%') || /^(0\.0\.0\.0|\[?::\]?)(:\d+)?$/.test(trimmed)) return undefined
  if (isIPv6(trimmed)) return { family: 'ip6', host: trimmed, port: undefined }
  const match = /^(\[[^\]]*\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(trimmed)
  if (match === null) return undefined
  const [, rawHost = '', rawPort] = match
  const port = rawPort === undefined ? undefined : Number(rawPort)
  if (port !== undefined && (port < 1 || port > 65535)) return undefined
  const host = rawHost.replace(/^\[|\]$/g, '')
  if (rawHost.startsWith('[')) return isIPv6(host) ? { family: 'ip6', host, port } : undefined
  if (isIPv4(host)) return { family: 'ip4', host, port }
  return HOST_NAME.test(host) && !/^[\d.]+$/.test(host) ? { family: 'dns', host, port } : undefined
}

/**
 * The multiaddrs to announce for `public-addr`, without `/p2p/…`. A port given with it is that of TCP and the only one
 * known to be open from outside, so only it is announced; without one, the listening ports are. QUIC needs an IP
 * address: its dialler does not resolve names.
 */
export function announceAddresses(address: PublicAddress, ports: ListenPorts): string[] {
  const base = `/${address.family}/${address.host}`
  if (address.port !== undefined) return [`${base}/tcp/${address.port}`]
  const addresses: string[] = []
  if (ports.tcp !== undefined) addresses.push(`${base}/tcp/${ports.tcp}`)
  if (ports.ws !== undefined) addresses.push(`${base}/tcp/${ports.ws}/ws`)
  if (ports.udp !== undefined && address.family !== 'dns') addresses.push(`${base}/udp/${ports.udp}/quic-v1`)
  return addresses
}

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
  return scope + transportRank(text)
}
