import type { Connection, IdentifyResult, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { Clock, MonotonicClock } from '../base/clock.js'
import { type Bucket, type BucketRate, fullBucket, refilled } from '../base/token-bucket.js'
import type { Log } from '../logging/index.js'
import { dialableMultiaddr } from '../p2p/bootstrap/index.js'
import { createConnector, hostOf, type Host, relayOf, scopeOf } from '../p2p/index.js'
import { type KeptAddress, TRUST_LIMITS } from './kept.js'
import type { TrustStore } from './trust-store.js'

/** libp2p keeps and dials again what has a `keep-alive…` tag, and connection limits leave it open. */
const TAG = 'keep-alive-ocf-trusted'
const FIRST_RETRY_MS = 2_000
const MAX_RETRY_MS = 10 * 60_000
const DIAL_WITHIN_MS = 12_000
const MAX_PARALLEL = 4
/** Dials in all, however many people are away. */
const DIALS: BucketRate = { capacity: 16, refillPerS: 1 / 2 }
/** A new peer may know where those are that are looked for: they are looked for again, so often at most. */
const HURRY_EVERY_MS = 5_000

/** What keeping connected stands on. */
export interface StayConnectedNeeds {
  host: Host
  store: Pick<TrustStore, 'isTrusted' | 'people' | 'person' | 'note' | 'onTrustChanged'>
  /** Called with each new connection of a trusted peer that had none. */
  onMet: (connection: Connection) => void
  clock: Clock
  monotonic: MonotonicClock
  log: Log
}

/** Someone who is looked for. */
interface Search {
  failures: number
  /** Of the monotonic clock. */
  dueAtMs: number
}

/**
 * Keeps the connections with trusted peers, remembers where they were, and looks for those that are away: at their last
 * addresses, over connected relays, and by asking the peers there are.
 */
export class StayConnected {
  readonly #needs: StayConnectedNeeds
  /** Whether this node dials by itself at all. */
  readonly #dials: boolean
  readonly #connector: ReturnType<typeof createConnector>
  readonly #searches = new Map<string, Search>()
  readonly #running = new Map<string, Promise<void>>()
  #stopped = new AbortController()
  #budget: Bucket
  #timer: NodeJS.Timeout | undefined
  #hurriedAtMs = Number.NEGATIVE_INFINITY
  #unfollow: (() => void) | undefined

  constructor(needs: StayConnectedNeeds, options: { dials: boolean }) {
    this.#needs = needs
    this.#dials = options.dials
    this.#budget = fullBucket(DIALS, needs.monotonic.elapsedMs())
    const { host } = needs
    this.#connector = createConnector({ libp2p: () => host.libp2p, liveness: () => host.liveness })
  }

  start(): void {
    const { host, store } = this.#needs
    this.#stopped = new AbortController()
    host.libp2p.addEventListener('connection:open', this.#onConnection)
    host.libp2p.addEventListener('peer:identify', this.#onIdentify)
    host.libp2p.addEventListener('peer:connect', this.#onPeer)
    host.libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
    this.#unfollow = store.onTrustChanged((peerId) => this.#onTrust(peerId))
    for (const { peerId } of store.people()) this.#onTrust(peerId)
  }

  async stop(): Promise<void> {
    const { libp2p } = this.#needs.host
    this.#stopped.abort()
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#searches.clear()
    this.#unfollow?.()
    libp2p.removeEventListener('connection:open', this.#onConnection)
    libp2p.removeEventListener('peer:identify', this.#onIdentify)
    libp2p.removeEventListener('peer:connect', this.#onPeer)
    libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
    for (const { peerId } of this.#needs.store.people()) this.#seen(peerId)
    await Promise.all(this.#running.values())
  }

  readonly #onConnection = ({ detail: connection }: CustomEvent<Connection>): void => {
    const peerId = connection.remotePeer.toString()
    if (this.#needs.store.isTrusted(peerId)) this.#met(connection)
  }

  #met(connection: Connection): void {
    const peerId = connection.remotePeer.toString()
    const address = connection.remoteAddr.toString()
    this.#searches.delete(peerId)
    if (connection.direction === 'outbound') this.#remember(peerId, [{ address, proven: true }])
    this.#needs.store.note(peerId, { lastSeenMs: this.#needs.clock.now() })
    void this.#tag(peerId, true)
    const isFirst = this.#needs.host.connectionsTo(peerId).every((open) => open === connection)
    if (isFirst) this.#needs.onMet(connection)
  }

  readonly #onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => {
    if (this.#needs.store.isTrusted(detail.peerId.toString())) this.#told(detail.connection, detail.listenAddrs)
  }

  /** A peer says where it listens; on this machine only where it was met on this machine. */
  #told({ remotePeer, remoteAddr }: Connection, addresses: readonly Multiaddr[]): void {
    const peerId = remotePeer.toString()
    const isHere = scopeOf(hostOf(remoteAddr.toString())) === 'loopback'
    const told = addresses
      .map((address) => dialableMultiaddr(address.toString()))
      .filter((address) => address !== undefined)
      .filter((address) => isHere || relayOf(address) !== undefined || scopeOf(hostOf(address)) !== 'loopback')
    this.#remember(
      peerId,
      told.map((address) => ({ address, proven: false })),
    )
  }

  /** The new ones first; those that worked outlast those that were only told. */
  #remember(peerId: string, addresses: readonly KeptAddress[]): void {
    const known = this.#needs.store.person(peerId)?.addresses ?? []
    const byAddress = new Map<string, KeptAddress>()
    for (const { address, proven } of [...addresses, ...known]) {
      const key = address.replace(new RegExp(`/p2p/${peerId}$`), '')
      byAddress.set(key, { address: key, proven: proven || byAddress.get(key)?.proven === true })
    }
    const all = [...byAddress.values()]
    const kept = [
      ...all.filter(({ proven }) => proven).slice(0, TRUST_LIMITS.addresses / 2),
      ...all.filter(({ proven }) => !proven),
    ]
    const next = kept.slice(0, TRUST_LIMITS.addresses)
    if (JSON.stringify(next) !== JSON.stringify(known)) this.#needs.store.note(peerId, { addresses: next })
  }

  readonly #onPeer = ({ detail }: CustomEvent<PeerId>): void => {
    const nowMs = this.#needs.monotonic.elapsedMs()
    if (this.#needs.store.isTrusted(detail.toString()) || nowMs - this.#hurriedAtMs < HURRY_EVERY_MS) return
    this.#hurriedAtMs = nowMs
    for (const search of this.#searches.values()) search.dueAtMs = Math.min(search.dueAtMs, nowMs + FIRST_RETRY_MS)
    this.#soon()
  }

  readonly #onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
    const peerId = detail.toString()
    if (!this.#needs.store.isTrusted(peerId)) return
    this.#needs.store.note(peerId, { lastSeenMs: this.#needs.clock.now() })
    this.#lookFor(peerId, 0)
  }

  #onTrust(peerId: string): void {
    const { host, store } = this.#needs
    if (!store.isTrusted(peerId)) {
      this.#searches.delete(peerId)
      void this.#tag(peerId, false)
      return
    }
    const [connection] = host.connectionsTo(peerId)
    if (connection === undefined) this.#lookFor(peerId, 0)
    else {
      this.#met(connection)
      void this.#askStore(connection)
    }
  }

  /** Who was met before it was trusted has said already where it listens. */
  async #askStore(connection: Connection): Promise<void> {
    const { host, log } = this.#needs
    try {
      const { addresses } = await host.libp2p.peerStore.get(connection.remotePeer)
      this.#told(
        connection,
        addresses.map(({ multiaddr: address }) => address),
      )
    } catch (error) {
      log.debug('nothing is known of where a peer listens', { peerId: connection.remotePeer.toString(), error })
    }
  }

  #seen(peerId: string): void {
    const { host, store, clock } = this.#needs
    if (host.isConnected(peerId)) store.note(peerId, { lastSeenMs: clock.now() })
  }

  /** Looks for a peer after a pause that grows with each failure; the first time at once. */
  #lookFor(peerId: string, failures: number): void {
    if (!this.#dials || this.#stopped.signal.aborted) return
    const pauseMs = failures === 0 ? 0 : Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS)
    const dueAtMs = this.#needs.monotonic.elapsedMs() + pauseMs * (1 - Math.random() / 3)
    this.#searches.set(peerId, { failures, dueAtMs })
    this.#soon()
  }

  #soon(): void {
    clearTimeout(this.#timer)
    const due = [...this.#searches.values()].reduce((first, { dueAtMs }) => Math.min(first, dueAtMs), Infinity)
    if (due === Infinity || this.#running.size >= MAX_PARALLEL) return
    const delayMs = Math.max(0, due - this.#needs.monotonic.elapsedMs())
    this.#timer = setTimeout(() => this.#search(), delayMs).unref()
  }

  #search(): void {
    const nowMs = this.#needs.monotonic.elapsedMs()
    this.#budget = refilled(this.#budget, DIALS, nowMs)
    const due = [...this.#searches].filter(([, { dueAtMs }]) => dueAtMs <= nowMs)
    for (const [peerId, search] of due) {
      if (this.#running.size >= MAX_PARALLEL) return
      if (this.#budget.tokens < 1) {
        search.dueAtMs = nowMs + 1000 / DIALS.refillPerS
        continue
      }
      this.#budget = { ...this.#budget, tokens: this.#budget.tokens - 1 }
      this.#searches.delete(peerId)
      const work = this.#dial(peerId, search.failures).finally(() => {
        this.#running.delete(peerId)
        if (!this.#stopped.signal.aborted) this.#soon()
      })
      this.#running.set(peerId, work)
    }
    this.#soon()
  }

  async #dial(peerId: string, failures: number): Promise<void> {
    const { host, store, log } = this.#needs
    const person = store.person(peerId)
    if (person === undefined || host.isConnected(peerId)) return
    try {
      await offerAddresses(host, peerId, person.addresses)
      const limited = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(DIAL_WITHIN_MS)])
      await this.#connector.connect(peerId, limited)
    } catch (error) {
      if (this.#stopped.signal.aborted || !store.isTrusted(peerId)) return
      log.debug('a trusted peer could not be reached', { peerId, failures, error })
      if (!host.isConnected(peerId)) this.#lookFor(peerId, failures + 1)
    }
  }

  async #tag(peerId: string, isKept: boolean): Promise<void> {
    try {
      await this.#needs.host.libp2p.peerStore.merge(peerIdFromString(peerId), {
        tags: { [TAG]: isKept ? { value: 100 } : undefined },
      })
    } catch (error) {
      this.#needs.log.debug('a trusted peer could not be marked', { peerId, error })
    }
  }
}

/** Has dialling know these addresses of a peer; those that are proven are dialled wherever they lead. */
export async function offerAddresses(host: Host, peerId: string, addresses: readonly KeptAddress[]): Promise<void> {
  const full = addresses.map(({ address, proven }) => ({ address: `${address}/p2p/${peerId}`, proven }))
  host.nameAddresses?.(full.filter(({ proven }) => proven).map(({ address }) => address))
  const multiaddrs = full.map(({ address }) => multiaddr(address))
  if (multiaddrs.length > 0) await host.libp2p.peerStore.merge(peerIdFromString(peerId), { multiaddrs })
}
