import { BlockList } from 'node:net'
import type { Connection } from '@libp2p/interface'
import { monotonicClock, type MonotonicClock } from '../../base/clock.js'
import type { LivenessWatch } from '../hardening/liveness/liveness-watch.js'
import { networkInterfaces } from '../hardening/network-interfaces.js'
import { isWithin, siteBits } from './dial-policy.js'
import { hostOf, relayOf, scopeOf } from './ip-scope.js'

// Every choice between ways to a peer is made here: which address is dialled first, which open connection is used, and
// which kind of path is the best (src-shared/path-order.ts, which the pages read too).

/** Direct before relayed; of equals the first, which of connections is the oldest, whose streams are warm. */
export function preferDirect<T>(ways: readonly T[], isRelayed: (way: T) => boolean): T | undefined {
  return ways.find((way) => !isRelayed(way)) ?? ways[0]
}

/** Of a peer's connections the open one to use; undefined while there is none. One in doubt is used if all are. */
export function bestConnection(
  connections: readonly Connection[],
  liveness?: Pick<LivenessWatch, 'isDoubted'>,
): Connection | undefined {
  const open = connections.filter(({ status }) => status === 'open')
  const sure = open.length < 2 ? open : open.filter((connection) => liveness?.isDoubted([connection]) !== true)
  return preferDirect(sure.length > 0 ? sure : open, isRelayed)
}

/** True for a connection through a relay. */
export const isRelayed = ({ remoteAddr }: Pick<Connection, 'remoteAddr'>): boolean =>
  relayOf(remoteAddr.toString()) !== undefined

/** What decides in which order the addresses of a peer are tried. */
export interface DialFacts {
  /** True for an address in a network this machine is part of. */
  isNear(host: string): boolean
  /** True for an address that did not answer a moment ago. */
  failedLately(address: string): boolean
}

/**
 * Which of two addresses of a peer is tried first. Direct before relayed, but only as many direct attempts as fit before
 * an impatient caller gives up, since each silent one takes seconds: what is near and the public TCP addresses, then
 * the relays, then the other public transports (a relayed connection is replaced by a direct one later), and last what
 * is most likely of no use here: what failed lately, private addresses of other networks and loopback ones of what
 * may be another machine.
 */
export function compareForDial(a: string, b: string, facts: DialFacts): -1 | 0 | 1 {
  const difference = rank(a, facts) - rank(b, facts)
  return difference < 0 ? -1 : difference > 0 ? 1 : 0
}

function rank(address: string, facts: DialFacts): number {
  const host = hostOf(address)
  const failed = facts.failedLately(address)
  if (relayOf(address) !== undefined) return failed ? 50 : 30
  if (failed) return 60
  const scope = scopeOf(host)
  if (scope !== 'loopback' && facts.isNear(host)) return transportRank(address)
  switch (scope) {
    case 'public':
      return (transportRank(address) === 0 ? 20 : 40) + transportRank(address)
    case 'private':
      return 70
    case 'loopback':
      return 80
  }
}

/** 0, 1, 2 for TCP, QUIC, WebSocket. TCP first: fewer firewalls stop it than UDP, and a refused port says so at once. */
export function transportRank(address: string): number {
  const parts = address.split('/')
  if (parts.includes('quic-v1')) return 1
  return parts.includes('ws') || parts.includes('wss') ? 2 : 0
}

/** Interfaces change rarely; asking the system for each dial would not be free. */
const REFRESH_MS = 30_000

/** The network of this machine's interfaces that an address lies in, as `address/bits`; undefined for all other addresses. */
export function createNearNetworks(clock: MonotonicClock = monotonicClock): (host: string) => string | undefined {
  let networks: NearNetwork[] = []
  let readAtMs = Number.NEGATIVE_INFINITY
  return (host) => {
    if (clock.elapsedMs() - readAtMs > REFRESH_MS) {
      networks = readNetworks()
      readAtMs = clock.elapsedMs()
    }
    return networks.find(({ list }) => isWithin(list, host))?.name
  }
}

interface NearNetwork {
  name: string
  list: BlockList
}

function readNetworks(): NearNetwork[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).flatMap(({ address, cidr, family }) => {
      const kind = family === 'IPv4' ? 'ipv4' : 'ipv6'
      const ownBits = Number(cidr?.split('/')[1])
      // An overlay or a cloud gives an interface one address, and routes a whole network to it.
      const bits = ownBits === (kind === 'ipv4' ? 32 : 128) ? (siteBits(address) ?? ownBits) : ownBits
      if (!Number.isInteger(bits)) return []
      const list = new BlockList()
      list.addSubnet(address, bits, kind)
      return [{ name: `${address}/${bits}`, list }]
    }),
  )
}
