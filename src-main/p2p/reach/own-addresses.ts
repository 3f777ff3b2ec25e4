import type { Connection, IdentifyResult, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Log } from '../../logging/index.js'
import { relayOf } from '../dial/ip-scope.js'
import type { DialBackStatus } from './dial-back-message.js'
import { askToDialBack, DIAL_BACK_PROTOCOL } from './dial-back.js'
import {
  SeenFromOutsideWatch,
  withoutPeer,
  type AddressManager,
  type Candidate,
  type NatKind,
} from './seen-from-outside.js'

/** An address others may reach this node at, and what they said when they tried. */
interface ProvenAddress {
  address: string
  /** `untried`: no peer could be asked yet. */
  result: 'untried' | 'reachable' | 'unreachable'
  /** Peers that tried. */
  askedPeers: number
  /** Of the last answer, by the monotonic clock. */
  atMs: number | undefined
}

/** How others see this node. */
export interface SeenFromOutside {
  /** Public IP addresses that peers see this node at. */
  publicIps: string[]
  natKind: NatKind
  addresses: ProvenAddress[]
  /** How many addresses peers were asked about, of how many, while they are being asked. */
  asking: { done: number; total: number } | undefined
}

/** Finds out which public addresses of this node work, by asking peers to dial them. */
export interface OwnAddresses {
  facts(): SeenFromOutside
  /** Something changed that may let peers through: addresses that were not reached are tried again soon. */
  tryAnew(): void
  /** Asks again, for the doctor; takes at most some seconds per address. */
  askAgain(signal: AbortSignal): Promise<void>
  stop(): Promise<void>
}

/** What asking peers about this node's addresses needs. */
export interface OwnAddressesNeeds {
  libp2p: Libp2p
  addressManager: AddressManager
  /** Asking peers is put off while this is true. */
  isTooEarly: () => boolean
  log: Log
}

type Entry = ProvenAddress & { asked: Set<string> }

const MAX_ENTRIES = 24
/** Peers asked about one address before it is believed to be closed. */
const PEERS_PER_ADDRESS = 3
/** A proof counts for this long, its opposite shorter: ports get opened. */
const ASK_AGAIN_AFTER_MS = { reachable: 60 * 60_000, unreachable: 10 * 60_000, untried: 0 }
const REVIEW_EVERY_MS = 10 * 60_000
const MIN_PAUSE_MS = 1_000

/**
 * Public candidates: what the router maps, and the addresses peers see this node at with the ports it listens on. One
 * peer that got through is proof enough to announce an address: AutoNAT's four would take a far larger network.
 */
export function watchOwnAddresses(needs: OwnAddressesNeeds): OwnAddresses {
  return new AddressProver(needs)
}

class AddressProver implements OwnAddresses {
  readonly #needs: OwnAddressesNeeds
  readonly #seen = new SeenFromOutsideWatch()
  readonly #proven = new Map<string, Entry>()
  readonly #stopped = new AbortController()
  readonly #review: NodeJS.Timeout
  #running: Promise<void> | undefined
  #asking: SeenFromOutside['asking']
  #timer: NodeJS.Timeout | undefined
  #isDue = false
  #outdated = new AbortController()

  constructor(needs: OwnAddressesNeeds) {
    this.#needs = needs
    this.#review = setInterval(() => this.#soon(), REVIEW_EVERY_MS).unref()
    needs.libp2p.addEventListener('peer:identify', this.#onIdentify)
  }

  facts(): SeenFromOutside {
    const { publicIps, natKind } = this.#seen
    const addresses = [...this.#proven.values()].map(({ asked: _, ...address }) => address)
    return { publicIps, natKind, addresses, asking: this.#asking }
  }

  tryAnew(): void {
    for (const entry of this.#proven.values()) if (entry.result === 'unreachable') entry.atMs = undefined
    // A peer that tries a closed port waits for half a minute in all: what is under way would only hold up the rest.
    this.#outdated.abort()
    this.#outdated = new AbortController()
    this.#soon()
  }

  async askAgain(signal: AbortSignal): Promise<void> {
    await this.#running
    this.#run(true, signal)
    await this.#running
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    clearTimeout(this.#timer)
    clearInterval(this.#review)
    this.#needs.libp2p.removeEventListener('peer:identify', this.#onIdentify)
    await this.#running
  }

  readonly #onIdentify = (event: CustomEvent<IdentifyResult>): void => {
    const { observedAddr, peerId, connection, protocols } = event.detail
    if (!isDirect(connection)) return
    if (observedAddr !== undefined) this.#seen.observe(observedAddr.toString(), peerId.toString())
    if (this.#seen.publicIps.length > 0 && protocols.includes(DIAL_BACK_PROTOCOL)) this.#soon()
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#needs.isTooEarly()) this.#soon()
      else if (this.#running === undefined) this.#run(false)
      else this.#isDue = true
    }, MIN_PAUSE_MS).unref()
  }

  #run(again: boolean, signal?: AbortSignal): void {
    const ends = [this.#stopped.signal, this.#outdated.signal, ...(signal === undefined ? [] : [signal])]
    this.#running = this.#askAll(AbortSignal.any(ends), again).finally(() => {
      this.#running = undefined
      // What came up while peers were being asked is looked at after it.
      if (this.#isDue && !this.#stopped.signal.aborted) this.#soon()
      this.#isDue = false
    })
  }

  async #askAll(signal: AbortSignal, again: boolean): Promise<void> {
    const candidates = this.#seen.candidates(this.#needs.addressManager)
    for (const [done, candidate] of candidates.entries()) {
      this.#asking = { done, total: candidates.length }
      await this.#prove(this.#entryOf(candidate.address, again), candidate, signal)
    }
    this.#asking = undefined
  }

  #entryOf(address: string, again: boolean): Entry {
    const known = this.#proven.get(address)
    const entry: Entry = known ?? { address, result: 'untried', askedPeers: 0, atMs: undefined, asked: new Set() }
    const askedAtMs = entry.atMs ?? Number.NEGATIVE_INFINITY
    const isStale = again || performance.now() - askedAtMs > ASK_AGAIN_AFTER_MS[entry.result]
    if (isStale) entry.asked.clear()
    this.#proven.set(address, entry)
    if (this.#proven.size > MAX_ENTRIES) this.#proven.delete([...this.#proven.keys()][0] ?? '')
    return entry
  }

  async #prove(entry: Entry, candidate: Candidate, signal: AbortSignal): Promise<void> {
    for (const connection of await this.#askable()) {
      const peerId = connection.remotePeer.toString()
      if (signal.aborted || entry.asked.size >= PEERS_PER_ADDRESS) return
      if (entry.asked.has(peerId) || (entry.result === 'reachable' && entry.asked.size > 0)) continue
      const status = await this.#ask(connection, entry.address, signal)
      if (status !== 'ok' && status !== 'dial-error') continue
      entry.asked.add(peerId)
      entry.askedPeers = entry.asked.size
      entry.atMs = performance.now()
      const before = entry.result
      entry.result = status === 'ok' ? 'reachable' : 'unreachable'
      if (entry.result === 'reachable') confirm(this.#needs.addressManager, candidate)
      if (before !== entry.result)
        this.#needs.log.info('a peer tried to reach this node', { address: entry.address, result: entry.result })
      if (entry.result === 'reachable') return
    }
  }

  async #ask(connection: Connection, address: string, signal: AbortSignal): Promise<DialBackStatus | undefined> {
    try {
      return await askToDialBack(connection, this.#needs.libp2p.peerId, multiaddr(address), signal)
    } catch (error) {
      if (!signal.aborted) this.#needs.log.debug('a peer could not be asked to dial back', { error })
      return undefined
    }
  }

  /** Connections to peers that can dial back, oldest first. */
  async #askable(): Promise<Connection[]> {
    const { libp2p } = this.#needs
    const direct = libp2p
      .getConnections()
      .filter(isDirect)
      .slice(0, PEERS_PER_ADDRESS * 4)
    const able = await Promise.all(direct.map(async (connection) => speaksDialBack(libp2p, connection)))
    return direct.filter((_, index) => able[index])
  }
}

/** Has libp2p announce an address that a peer got through to. */
function confirm(addressManager: AddressManager, { address, inner, outerIp }: Candidate): void {
  const [, , innerIp = '', protocol, port = ''] = inner.toString().split('/')
  const outerPort = Number(address.split('/')[4])
  // The address manager would keep a second mapping like the first.
  const isKnown = addressManager
    .getAddressesWithMetadata()
    .some(({ multiaddr: known, type }) => type === 'ip-mapping' && withoutPeer(known.toString()) === address)
  if (innerIp !== outerIp && !isKnown) {
    const transport = protocol === 'udp' ? 'udp' : 'tcp'
    addressManager.addPublicAddressMapping(innerIp, Number(port), outerIp, outerPort, transport)
  }
  addressManager.confirmObservedAddr(multiaddr(address))
}

async function speaksDialBack(libp2p: Libp2p, connection: Connection): Promise<boolean> {
  if (!(await libp2p.peerStore.has(connection.remotePeer))) return false
  const { protocols } = await libp2p.peerStore.get(connection.remotePeer)
  return protocols.includes(DIAL_BACK_PROTOCOL)
}

const isDirect = ({ limits, remoteAddr }: Connection): boolean =>
  limits === undefined && relayOf(remoteAddr.toString()) === undefined
