import type { IncomingMessage } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'
import { hostOf, ipv6Network, relayOf, scopeOf } from '../dial/ip-scope.js'
import { StreamDuplex } from './stream-duplex.js'

/** What a request of the peer listener counts as one source with; see {@link addressGroup}. Empty for any other request. */
export function requestSource({ socket }: Pick<IncomingMessage, 'socket'>): string {
  return socket instanceof StreamDuplex ? addressGroup(socket.connection.remoteAddr.toString()) : ''
}

/**
 * Addresses that are likely to be one party's, or that it gets for little: an IPv4 /24, an IPv6 /48, or the relay that a
 * peer comes through. On this machine each address is a group of its own.
 */
export function addressGroup(multiaddr: string): string {
  const relay = relayOf(multiaddr)
  if (relay !== undefined) return `relay ${relay}`
  const host = hostOf(multiaddr).replace(/^::ffff:/, '')
  if (scopeOf(host) === 'loopback') return host
  if (isIPv4(host)) return `${host.slice(0, host.lastIndexOf('.'))}.0/24`
  return isIPv6(host) ? `${ipv6Network(host).split(':').slice(0, 3).join(':')}::/48` : host
}
