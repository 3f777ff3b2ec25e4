import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Nearby } from '#shared/contract/people/pairing.js'
import { hostOf, type Host, relayOf } from '../../p2p/index.js'
import type { TrustStore } from '../trust-store.js'

/** Nodes that are listed. */
const MAX_LISTED = 100

/** What is asked who is near. */
export interface NearbyNeeds {
  host: Host
  store: Pick<TrustStore, 'isTrusted' | 'onTrustChanged'>
  /** What a peer is called, where it is trusted. */
  nameOf: (peerId: string) => string | undefined
}

/** The nodes of the local networks: those connected from an address in one, and those multicast DNS told of. */
export class NearbyPeers {
  readonly #needs: NearbyNeeds

  constructor(needs: NearbyNeeds) {
    this.#needs = needs
  }

  /** Those that are not trusted yet first. */
  list(): Nearby[] {
    const { host, store, nameOf } = this.#needs
    const found = new Map<string, Pick<Nearby, 'address' | 'sinceMs' | 'connected'>>()
    for (const { peerId, addresses, sinceMs } of host.lan?.peers() ?? []) {
      found.set(peerId, { address: hostOf(addresses[0] ?? ''), sinceMs, connected: false })
    }
    for (const { peerId, multiaddr: address, openedAtMs } of host.connections()) {
      if (!this.#isNearAddress(address)) continue
      const sinceMs = Math.min(openedAtMs, found.get(peerId)?.sinceMs ?? openedAtMs)
      found.set(peerId, { address: ipOf(address), sinceMs, connected: true })
    }
    found.delete(host.peerId)
    return [...found]
      .map(([peerId, facts]) => {
        return { peerId, name: nameOf(peerId) ?? null, ...facts, trusted: store.isTrusted(peerId) }
      })
      .sort((a, b) => Number(a.trusted) - Number(b.trusted) || (a.peerId < b.peerId ? -1 : 1))
      .slice(0, MAX_LISTED)
  }

  /** Whether a connection leads straight to a machine of a local network. */
  isNear({ remoteAddr }: Connection): boolean {
    return this.#isNearAddress(remoteAddr.toString())
  }

  /** A direct connection in a local network. Rejects where the peer cannot be reached in one before `signal` aborts. */
  async reach(peerId: string, signal: AbortSignal): Promise<Connection> {
    const { host } = this.#needs
    const open = host.connectionsTo(peerId).find((connection) => this.isNear(connection))
    if (open !== undefined) return open
    const addresses = host.lan?.peers().find((peer) => peer.peerId === peerId)?.addresses ?? []
    // Else a connection over a relay would be taken.
    return await host.libp2p.dial(
      addresses.map((address) => multiaddr(address)),
      { signal, force: true },
    )
  }

  /** Calls `listener` after each change; returns the way to stop. */
  follow(listener: () => void): () => void {
    const { host, store } = this.#needs
    const { libp2p } = host
    libp2p.addEventListener('connection:open', listener)
    libp2p.addEventListener('connection:close', listener)
    const stops = [host.lan?.onChanged(listener), store.onTrustChanged(listener)]
    return () => {
      libp2p.removeEventListener('connection:open', listener)
      libp2p.removeEventListener('connection:close', listener)
      stops.forEach((stop) => stop?.())
    }
  }

  #isNearAddress(address: string): boolean {
    return relayOf(address) === undefined && this.#needs.host.lan?.isNear(ipOf(address)) === true
  }
}

/** The IP address of a multiaddr. */
export const ipOf = (address: string): string => hostOf(address).replace(/^::ffff:/, '')
