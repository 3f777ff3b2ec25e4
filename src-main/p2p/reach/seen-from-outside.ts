import type { AutoNATComponents } from '@libp2p/autonat'
import type { Multiaddr } from '@multiformats/multiaddr'
import { hostOf, relayOf, scopeOf } from '../dial/ip-scope.js'
import { networkInterfaces } from '../hardening/network-interfaces.js'

/** `one-port`: the router keeps one port for all; `port-per-peer`: it does not, so punching holes fails. */
export type NatKind = 'none' | 'one-port' | 'port-per-peer' | 'unknown'

/** An address that might work from outside. */
export interface Candidate {
  /** Without `/p2p/…`. */
  address: string
  /** The listener behind it. */
  inner: Multiaddr
  outerIp: string
}

/** libp2p's address manager. */
export type AddressManager = AutoNATComponents['addressManager']

const MAX_IPS = 4
const MAX_CANDIDATES = 12
const MAX_OBSERVED = 64

/** What other peers see of this node: its public IP addresses, and from which port its QUIC dials come. */
export class SeenFromOutsideWatch {
  readonly #publicIps = new Set<string>()
  /** `ip port` by the peer that saw it: all dials of QUIC leave from one port. */
  readonly #seenPorts = new Map<string, string>()

  get publicIps(): string[] {
    return [...this.#publicIps]
  }

  get natKind(): NatKind {
    const own = new Set(Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []))
    if (this.#publicIps.size > 0 && this.publicIps.every((ip) => own.has(ip))) return 'none'
    if (this.#seenPorts.size < 2) return 'unknown'
    return new Set(this.#seenPorts.values()).size === 1 ? 'one-port' : 'port-per-peer'
  }

  /** A peer sees this node at that address. */
  observe(address: string, peerId: string): void {
    const ip = hostOf(address)
    if (scopeOf(ip) !== 'public') return
    if (this.#publicIps.size < MAX_IPS) this.#publicIps.add(ip)
    if (!address.includes('/quic-v1')) return
    if (this.#seenPorts.size < MAX_OBSERVED) this.#seenPorts.set(peerId, `${ip} ${address.split('/')[4] ?? ''}`)
  }

  /** What might work from outside: public addresses, and the ports listened on at the addresses peers see. */
  candidates(addressManager: AddressManager): Candidate[] {
    const found = new Map<string, Candidate>()
    for (const { multiaddr: inner, type } of addressManager.getAddressesWithMetadata()) {
      const text = withoutPeer(inner.toString())
      if (found.size >= MAX_CANDIDATES || relayOf(text) !== undefined) continue
      const host = hostOf(text)
      if (scopeOf(host) === 'public' && type !== 'observed') found.set(text, { address: text, inner, outerIp: host })
      if (type !== 'transport' || scopeOf(host) === 'loopback') continue
      for (const outerIp of this.#publicIps) {
        if (outerIp.includes(':') !== host.includes(':')) continue
        const [, , , ...rest] = text.split('/')
        const address = `/${outerIp.includes(':') ? 'ip6' : 'ip4'}/${outerIp}/${rest.join('/')}`
        if (!found.has(address)) found.set(address, { address, inner, outerIp })
      }
    }
    return [...found.values()]
  }
}

/** The address itself: libp2p ends some with this node's own peer id. */
export const withoutPeer = (text: string): string => text.replace(/\/p2p\/[^/]+$/, '')
