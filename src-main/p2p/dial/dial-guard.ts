import type { BlockList } from 'node:net'
import type { Connection, ConnectionGater, Libp2p, PeerId, Transport, Upgrader } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { BoundedMap } from '../../base/bounded-map.js'
import { ANOTHER_PEER, failureWords } from '../bootstrap/failure-words.js'
import type { TransportFactory } from '../hardening/transports/intercept-upgrade.js'
import { type DialAddress, dialKey, readDialAddress, siteAround, whyNotDial, isWithin } from './dial-policy.js'
import { hostOf, relayOf, scopeOf } from './ip-scope.js'
import { StrangerNames } from './stranger-names.js'
import { UnprovenAddresses } from './unproven-addresses.js'

const MAX_NAMED = 2_000
const MAX_PEERS = 5_000
const MAX_HOSTS_PER_PEER = 8
const MAX_SITES = 64
/** A dial that is given up sooner says nothing about the address: whoever wanted it went away. */
const MEANS_SOMETHING_MS = 1_000

/** What a guard stands on; tests bring their own. */
export interface DialGuardNeeds {
  /** True for an address in a network of one of this machine's interfaces. */
  isNear(host: string): boolean
  names?: StrangerNames
  unproven?: UnprovenAddresses
}

/**
 * Stands before every dial of a host, whoever asks for it: at libp2p's gate, where addresses are chosen, and at the
 * transports, where names have become addresses and hole punching comes by. Asks `dial-policy.ts` with what this run has
 * met so far.
 */
export class DialGuard {
  readonly #needs: DialGuardNeeds
  /** False where this node listens on loopback alone: then there is nothing else it could have meant. */
  readonly #isWide: boolean
  readonly #names: StrangerNames
  readonly #unproven: UnprovenAddresses
  readonly #named = new BoundedMap<string, true>(MAX_NAMED)
  readonly #connected = new Set<string>()
  /** Hosts at which peers have been connected directly. */
  readonly #metAt = new BoundedMap<string, string[]>(MAX_PEERS)
  readonly #metOnLoopback = new BoundedMap<string, true>(MAX_PEERS)
  /** Private networks in which a peer has been connected. */
  readonly #sites: BlockList[] = []
  #hasMetLoopback = false
  #hasMetBeyond = false

  constructor(needs: DialGuardNeeds, options: { isWide: boolean }) {
    this.#needs = needs
    this.#isWide = options.isWide
    this.#names = needs.names ?? new StrangerNames()
    this.#unproven = needs.unproven ?? new UnprovenAddresses()
  }

  /** A person named these addresses: they are dialled whatever they are, and however often. */
  name(addresses: readonly string[]): void {
    for (const address of addresses) this.#named.set(dialKey(address), true)
  }

  /** Follows whom this node meets; to be called before libp2p starts. */
  watch(libp2p: Libp2p): void {
    libp2p.addEventListener('connection:open', (event: CustomEvent<Connection>) => this.#met(event.detail))
    libp2p.addEventListener('peer:disconnect', (event: CustomEvent<PeerId>) =>
      this.#connected.delete(event.detail.toString()),
    )
  }

  /** Why this address is not dialled now; undefined where it may be. */
  whyNot(address: string): string | undefined {
    const reason = whyNotDial(address, this.#facts)
    if (reason !== undefined || this.#isNamed(address)) return reason
    return this.isPaused(address) ? 'nothing of this network answered there the last times' : undefined
  }

  /** True for an address that is left alone for now, because of what came of the last attempts. */
  isPaused(address: string): boolean {
    const found = readDialAddress(address)
    return found !== undefined && this.#unproven.isPaused(found)
  }

  /** The part of a connection gater that chooses addresses. */
  gater(): Pick<ConnectionGater, 'denyDialMultiaddr'> {
    return { denyDialMultiaddr: (address) => this.whyNot(address.toString()) !== undefined }
  }

  /** A transport that dials what the policy allows, and teaches this guard what came of it. */
  guarded<C>(factory: TransportFactory<C>): TransportFactory<C> {
    return (components) => {
      const transport = factory(components)
      const dial = transport.dial.bind(transport)
      transport.dial = ((address: Multiaddr, options: DialOptions) => this.#dial(address, options, dial)) as typeof dial
      return transport
    }
  }

  async #dial(address: Multiaddr, options: DialOptions, dial: Transport['dial']): Promise<Connection> {
    const text = address.toString()
    const reason = this.whyNot(text)
    if (reason !== undefined) throw new Error(`not dialled: ${reason}`)
    const found = readDialAddress(text)
    // A relay is dialled at its own address, which comes by here as well.
    if (found === undefined || relayOf(text) !== undefined) return await dial(address, options)
    if (this.#isNamed(text)) return await this.#learn(found, dial, address, options)
    const target = found.isName ? await this.#resolved(found) : found
    if (!this.#unproven.begin(target)) throw new Error('not dialled: enough is being tried there already')
    try {
      return await this.#learn(target, dial, target === found ? address : multiaddr(toText(target)), options)
    } finally {
      this.#unproven.end(target)
    }
  }

  /** A name as the first of its addresses that may be dialled: what is checked is what is dialled. */
  async #resolved(found: DialAddress): Promise<DialAddress> {
    for (const ip of await this.#names.addressesOf(found.host, found.peerId ?? '')) {
      const family = ip.includes(':') ? 'ip6' : 'ip4'
      const key = found.key.replace(/^\/[^/]+\/[^/]+/, `/${family}/${ip}`)
      const target = { ...found, key, host: ip, isName: false }
      if (this.whyNot(toText(target)) === undefined) return target
    }
    throw new Error('not dialled: its host name stands for no address that may be')
  }

  async #learn(
    target: DialAddress,
    dial: Transport['dial'],
    address: Multiaddr,
    options: DialOptions,
  ): Promise<Connection> {
    const startedAtMs = performance.now()
    const opened = new AbortController()
    const upgrader = noticing(options.upgrader, () => opened.abort())
    try {
      const connection = await dial(address, { ...options, upgrader })
      this.#unproven.answered(target)
      return connection
    } catch (error) {
      const lastedMs = performance.now() - startedAtMs
      // Both ends of a hole that is punched fail at first.
      const isOpen = opened.signal.aborted
      const isPunching = !isOpen && 'localPort' in options
      const isGivenUp = options.signal.aborted && lastedMs < MEANS_SOMETHING_MS
      if (isPunching || isGivenUp || failureWords(error) === ANOTHER_PEER) throw error
      // A WebSocket does not tell a port that refuses from one that speaks something else.
      const isOther = isOpen || (target.transport === 'ws' && !options.signal.aborted)
      this.#unproven.failed(target, isOther ? 'other-protocol' : 'unanswered')
      throw error
    }
  }

  #isNamed(address: string): boolean {
    return this.#named.has(dialKey(address))
  }

  #met({ remotePeer, remoteAddr, limits }: Connection): void {
    const address = remoteAddr.toString()
    const peerId = remotePeer.toString()
    this.#connected.add(peerId)
    if (limits !== undefined || relayOf(address) !== undefined) return
    // A listener for both families writes an IPv4 address in this way.
    const host = hostOf(address).replace(/^::ffff:(?=\d+\.)/, '')
    const hosts = this.#metAt.get(peerId) ?? []
    this.#metAt.set(peerId, [host, ...hosts.filter((other) => other !== host)].slice(0, MAX_HOSTS_PER_PEER))
    if (scopeOf(host) === 'loopback') {
      this.#hasMetLoopback = true
      this.#metOnLoopback.set(peerId, true)
      return
    }
    this.#hasMetBeyond = true
    const site = this.#sites.some((known) => isWithin(known, host)) ? undefined : siteAround(host)
    if (site !== undefined && this.#sites.length < MAX_SITES) this.#sites.push(site)
  }

  readonly #facts = {
    isNamed: (key: string) => this.#named.has(key),
    isConnected: (peerId: string) => this.#connected.has(peerId),
    wasMetAt: (peerId: string, host: string) => this.#metAt.peek(peerId)?.includes(host) === true,
    wasMetOnLoopback: (peerId: string) => this.#metOnLoopback.has(peerId),
    isLoopbackNetwork: () => !this.#hasMetBeyond && (this.#hasMetLoopback || !this.#isWide),
    isInOwnNetwork: (host: string) => this.#needs.isNear(host) || this.#sites.some((site) => isWithin(site, host)),
  }
}

type DialOptions = Parameters<Transport['dial']>[1]

const toText = ({ key, peerId }: DialAddress): string => (peerId === undefined ? key : `${key}/p2p/${peerId}`)

/** The same upgrader, which says when a connection that was dialled has come about. */
function noticing(upgrader: Upgrader, onOpen: () => void): Upgrader {
  return {
    upgradeOutbound: (connection, options) => {
      onOpen()
      return upgrader.upgradeOutbound(connection, options)
    },
    upgradeInbound: (connection, options) => upgrader.upgradeInbound(connection, options),
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  }
}
