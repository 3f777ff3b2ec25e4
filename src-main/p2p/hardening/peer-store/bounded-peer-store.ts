// For @libp2p/peer-store 12.0.28: it keeps any number of addresses, protocols and metadata for a peer, from anyone, sorts
// all of them by their text at each write, lets writes wait without an end, and keeps any number of peers; and for libp2p
// 3.3.11, which writes the protocol of each stream. Goes when a peer's record and the number of peers are bounded, and
// what is known is not written.

import type { AbortOptions, Address, Connection, Peer, PeerData, PeerId, PeerStore } from '@libp2p/interface'
import { BoundedMap } from '../../../base/bounded-map.js'
import { monotonicClock, type MonotonicClock } from '../../../base/clock.js'

/** What is kept at most. */
export interface PeerStoreLimits {
  /** Addresses of a peer. */
  addresses: number
  /** How many that a peer has signed stay when others are heard of. */
  signed: number
  /** Of one address; the longest are those of a name, through a relay. */
  addressBytes: number
  /** Protocols that a peer says it has. */
  protocols: number
  /** Of a protocol's name. */
  protocolChars: number
  /** Metadata of a peer, such as its version. */
  metadata: number
  /** Of one of those. */
  metadataBytes: number
  /** Of the record that a peer has signed. */
  envelopeBytes: number
  /** Merges of one peer's addresses that wait for each other. */
  waiting: number
  /** Peers that are written in one run. */
  peers: number
}

/** A node with a dozen networks and three relays has half as many addresses. */
export const PEER_STORE_LIMITS: PeerStoreLimits = {
  addresses: 32,
  signed: 16,
  addressBytes: 256,
  protocols: 64,
  protocolChars: 128,
  metadata: 16,
  metadataBytes: 512,
  envelopeBytes: 8 * 1024,
  waiting: 64,
  peers: 4096,
}

/** How long a protocol that was written is not written again, ms, and for how many peers that is remembered. */
const WRITTEN_LATELY_MS = 60_000
const MAX_WRITTEN_LATELY = 256

/** So many more than may be kept are looked at, for those that may. */
const LOOKED_AT = 4

/** Peers that are only heard of have this share of the room, whoever was met. */
const HEARD_OF_SHARE = 1 / 4

/** What is used of libp2p. */
interface Components {
  peerId: PeerId
  peerStore: PeerStore
  connectionManager: { getConnections(peerId?: PeerId): Connection[] }
}

/**
 * Holds everything that is written to libp2p's peer store to `limits`, by whatever way it comes: identify, the DHT,
 * gossip, multicast, bootstraps. Called once, before libp2p starts.
 */
export function boundPeerStore(
  components: Components,
  limits: PeerStoreLimits = PEER_STORE_LIMITS,
  clock: MonotonicClock = monotonicClock,
): void {
  const { peerStore } = components
  const bounded = new BoundedPeerStore(components, limits, clock)
  const remove = peerStore.delete.bind(peerStore)
  peerStore.delete = (id, options) => {
    bounded.forget(id)
    return remove(id, options)
  }
  peerStore.save = (id, data, options) => bounded.write('save', id, data, options)
  peerStore.patch = (id, data, options) => bounded.write('patch', id, data, options)
  peerStore.merge = (id, data, options) => bounded.write('merge', id, data, options)
}

type Write = 'save' | 'patch' | 'merge'

/** Data within the limits; its addresses apart, which are joined with those that are known. */
interface Bounded {
  addresses: Address[] | undefined
  rest: PeerData
}

class BoundedPeerStore {
  readonly #store: Pick<PeerStore, 'get' | 'delete' | Write>
  readonly #selfId: string
  readonly #isConnected: (peerId: PeerId) => boolean
  readonly #limits: PeerStoreLimits
  readonly #writes = new Map<string, { last: Promise<unknown>; waiting: number }>()
  /** Peers that were never connected, and those that were: the oldest first. */
  readonly #heardOf = new Map<string, PeerId>()
  readonly #met = new Map<string, PeerId>()
  /** Records as they were written last. */
  readonly #latest = new BoundedMap<string, { peer: Peer; atMs: number }>(MAX_WRITTEN_LATELY)
  readonly #clock: MonotonicClock

  constructor({ peerId, peerStore, connectionManager }: Components, limits: PeerStoreLimits, clock: MonotonicClock) {
    this.#clock = clock
    this.#store = {
      get: peerStore.get.bind(peerStore),
      delete: peerStore.delete.bind(peerStore),
      save: peerStore.save.bind(peerStore),
      patch: peerStore.patch.bind(peerStore),
      merge: peerStore.merge.bind(peerStore),
    }
    this.#selfId = peerId.toString()
    this.#isConnected = (id) => connectionManager.getConnections(id).length > 0
    this.#limits = limits
  }

  /** Throws when too many addresses wait to be merged for this peer. */
  async write(how: Write, id: PeerId, data: PeerData, options?: AbortOptions): Promise<Peer> {
    const key = id.toString()
    if (key === this.#selfId) return await this.#store[how](id, data, options)
    const written = how === 'merge' ? this.#writtenLately(key, data) : undefined
    if (written !== undefined) return written
    const { addresses, rest } = this.#bounded(data)
    const peer = await this.#write(how, id, { addresses, rest }, options)
    this.#latest.set(key, { peer, atMs: this.#clock.elapsedMs() })
    await this.#makeRoom(id, key)
    return peer
  }

  /** What is known of this peer may have changed. */
  forget(id: PeerId): void {
    this.#latest.delete(id.toString())
  }

  /**
   * The record of a peer to which `data` would add nothing. A write is half a millisecond at either end of each stream, and
   * those of one peer wait for each other.
   */
  #writtenLately(key: string, { protocols, ...rest }: PeerData): Peer | undefined {
    const latest = this.#latest.peek(key)
    const isRecent = latest !== undefined && this.#clock.elapsedMs() - latest.atMs < WRITTEN_LATELY_MS
    if (!isRecent || protocols === undefined || Object.keys(rest).length > 0) return undefined
    return protocols.every((protocol) => latest.peer.protocols.includes(protocol)) ? latest.peer : undefined
  }

  async #write(how: Write, id: PeerId, { addresses, rest }: Bounded, options?: AbortOptions): Promise<Peer> {
    if (how !== 'merge') {
      const data = addresses === undefined ? rest : { ...rest, addresses }
      return await this.#inTurn(id, Infinity, () => this.#store[how](id, data, options))
    }
    // One protocol is merged for each stream: those go straight through.
    if (addresses === undefined) return await this.#store.merge(id, rest, options)
    const peer = await this.#inTurn(id, this.#limits.waiting, async () => {
      // What is there counts too, so this writes what shall be there after it.
      const known = await this.#known(id, options)
      return await this.#store.patch(id, { addresses: this.#joined(known?.addresses ?? [], addresses) }, options)
    })
    return Object.keys(rest).length === 0 ? peer : await this.#store.merge(id, rest, options)
  }

  /** The store locks a record for one write; here it may be a read and a write. */
  async #inTurn<T>(id: PeerId, mostWaiting: number, work: () => Promise<T>): Promise<T> {
    const key = id.toString()
    const queue = this.#writes.get(key) ?? { last: Promise.resolve(), waiting: 0 }
    if (queue.waiting >= mostWaiting) throw new Error('too much waits to be written for this peer')
    queue.waiting += 1
    this.#writes.set(key, queue)
    const turn = queue.last.then(work)
    queue.last = turn.catch(() => undefined)
    try {
      return await turn
    } finally {
      queue.waiting -= 1
      if (queue.waiting === 0) this.#writes.delete(key)
    }
  }

  #bounded({ multiaddrs, addresses, protocols, metadata, peerRecordEnvelope, ...rest }: PeerData): Bounded {
    const { addresses: most, addressBytes, protocols: mostProtocols, protocolChars, envelopeBytes } = this.#limits
    const all = [...first(multiaddrs, most * LOOKED_AT).map(unsigned), ...first(addresses, most * LOOKED_AT)]
    const short = all.filter(({ multiaddr }) => multiaddr.bytes.byteLength <= addressBytes)
    const names = first(protocols, mostProtocols * LOOKED_AT).filter(({ length }) => length <= protocolChars)
    const isEnvelopeKept = peerRecordEnvelope !== undefined && peerRecordEnvelope.byteLength <= envelopeBytes
    return {
      addresses: multiaddrs === undefined && addresses === undefined ? undefined : short.slice(0, most),
      rest: {
        ...rest,
        ...(protocols === undefined ? {} : { protocols: names.slice(0, mostProtocols) }),
        ...(metadata === undefined ? {} : { metadata: this.#boundedMetadata(metadata) }),
        ...(isEnvelopeKept ? { peerRecordEnvelope } : {}),
      },
    }
  }

  #boundedMetadata(metadata: NonNullable<PeerData['metadata']>): NonNullable<PeerData['metadata']> {
    const entries = metadata instanceof Map ? [...metadata] : Object.entries(metadata)
    const { metadata: most, metadataBytes } = this.#limits
    return new Map(
      entries.filter(([, value]) => value === undefined || value.byteLength <= metadataBytes).slice(0, most),
    )
  }

  async #known(id: PeerId, options?: AbortOptions): Promise<Peer | undefined> {
    try {
      return await this.#store.get(id, options)
    } catch (error) {
      if (error instanceof Error && error.name === 'NotFoundError') return undefined
      throw error
    }
  }

  /** Signed ones first, as anyone can say anything of a peer; then the latest. */
  #joined(known: readonly Address[], added: readonly Address[]): Address[] {
    const signed = known.filter(({ isCertified }) => isCertified).slice(0, this.#limits.signed)
    const joined = new Map<string, Address>()
    for (const address of [...signed, ...added, ...known]) {
      const text = address.multiaddr.toString()
      if (joined.size < this.#limits.addresses && !joined.has(text)) joined.set(text, address)
    }
    return [...joined.values()]
  }

  async #makeRoom(written: PeerId, key: string): Promise<void> {
    if (this.#met.has(key)) return
    const peers = this.#isConnected(written) ? this.#met : this.#heardOf
    this.#heardOf.delete(key)
    peers.set(key, written)
    if (this.#heardOf.size + this.#met.size <= this.#limits.peers) return
    const evicted = this.#leastMissed()
    if (evicted === undefined) return
    this.#heardOf.delete(evicted.toString())
    this.#met.delete(evicted.toString())
    this.forget(evicted)
    await this.#store.delete(evicted)
  }

  #leastMissed(): PeerId | undefined {
    if (this.#heardOf.size > this.#limits.peers * HEARD_OF_SHARE) return this.#heardOf.values().next().value
    for (const peer of this.#met.values()) if (!this.#isConnected(peer)) return peer
    return this.#heardOf.values().next().value
  }
}

const unsigned = (multiaddr: Address['multiaddr']): Address => ({ multiaddr, isCertified: false })

const first = <T>(items: readonly T[] | undefined, count: number): T[] => items?.slice(0, count) ?? []
