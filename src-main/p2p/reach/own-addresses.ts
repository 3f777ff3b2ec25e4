import { networkInterfaces } from 'node:os'
import type { AutoNATComponents } from '@libp2p/autonat'
import type { Connection, IdentifyResult, Libp2p } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { Log } from '../../logging/index.js'
import { hostOf, relayOf, scopeOf } from '../dial/ip-scope.js'
import type { DialBackStatus } from './dial-back-message.js'
import { askToDialBack, DIAL_BACK_PROTOCOL } from './dial-back.js'

/** An address others may reach this node at, and what they said when they tried. */
export interface ProvenAddress {
  address: string
  /** `untried`: nobody could be asked yet. */
  result: 'untried' | 'reachable' | 'unreachable'
  /** Peers that tried. */
  askedPeers: number
  /** Unix milliseconds of the last answer. */
  atMs: number | undefined
}

/** How others see this node. */
export interface SeenFromOutside {
  /** Public IP addresses that peers see this node at. */
  publicIps: string[]
  /** `one-port`: the router keeps one port for all; `port-per-peer`: it does not, so punching holes fails. */
  natKind: 'none' | 'one-port' | 'port-per-peer' | 'unknown'
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

type AddressManager = AutoNATComponents['addressManager']

const MAX_IPS = 4
const MAX_CANDIDATES = 12
const MAX_OBSERVED = 64
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
export function watchOwnAddresses(needs: {
  libp2p: Libp2p
  addressManager: AddressManager
  /** Asking peers is put off while this is true. */
  isTooEarly: () => boolean
  log: Log
}): OwnAddresses {
  const { libp2p, addressManager, log } = needs
  const publicIps = new Set<string>()
  /** `udp port seen` by the peer that saw it: all dials of QUIC leave from one port. */
  const seenPorts = new Map<string, string>()
  const proven = new Map<string, ProvenAddress & { asked: Set<string> }>()
  const stopped = new AbortController()
  let running: Promise<void> | undefined
  let asking: SeenFromOutside['asking']
  let timer: NodeJS.Timeout | undefined
  let isDue = false
  let outdated = new AbortController()

  const onIdentify = (event: CustomEvent<IdentifyResult>): void => {
    const { observedAddr, peerId, connection, protocols } = event.detail
    if (connection.limits !== undefined || relayOf(connection.remoteAddr.toString()) !== undefined) return
    if (observedAddr !== undefined) observe(observedAddr.toString(), peerId.toString())
    if (publicIps.size > 0 && protocols.includes(DIAL_BACK_PROTOCOL)) soon()
  }

  function observe(text: string, peerId: string): void {
    const ip = hostOf(text)
    if (scopeOf(ip) !== 'public') return
    if (publicIps.size < MAX_IPS) publicIps.add(ip)
    if (!text.includes('/quic-v1')) return
    if (seenPorts.size < MAX_OBSERVED) seenPorts.set(peerId, `${ip} ${text.split('/')[4] ?? ''}`)
  }

  function soon(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      if (needs.isTooEarly()) soon()
      else if (running === undefined)
        running = askAll(AbortSignal.any([stopped.signal, outdated.signal])).finally(finish)
      else isDue = true
    }, MIN_PAUSE_MS).unref()
  }

  /** What came up while peers were being asked is looked at after it. */
  function finish(): void {
    running = undefined
    if (isDue && !stopped.signal.aborted) soon()
    isDue = false
  }

  /** What might work from outside, with the listener behind it. */
  function candidates(): Map<string, { inner: Multiaddr; outerIp: string }> {
    const found = new Map<string, { inner: Multiaddr; outerIp: string }>()
    for (const { multiaddr: address, type } of addressManager.getAddressesWithMetadata()) {
      const text = withoutPeer(address.toString())
      if (found.size >= MAX_CANDIDATES || relayOf(text) !== undefined) continue
      if (scopeOf(hostOf(text)) === 'public' && type !== 'observed')
        found.set(text, { inner: address, outerIp: hostOf(text) })
      if (type !== 'transport' || scopeOf(hostOf(text)) === 'loopback') continue
      for (const ip of publicIps) {
        if (ip.includes(':') !== hostOf(text).includes(':')) continue
        const [, , , ...rest] = text.split('/')
        const outer = `/${ip.includes(':') ? 'ip6' : 'ip4'}/${ip}/${rest.join('/')}`
        if (!found.has(outer)) found.set(outer, { inner: address, outerIp: ip })
      }
    }
    return found
  }

  async function askAll(signal: AbortSignal, again = false): Promise<void> {
    const all = candidates()
    let done = 0
    for (const [text, { inner, outerIp }] of all) {
      asking = { done, total: all.size }
      done += 1
      const entry = proven.get(text) ?? {
        address: text,
        result: 'untried',
        askedPeers: 0,
        atMs: undefined,
        asked: new Set(),
      }
      const ageMs = Date.now() - (entry.atMs ?? 0)
      const isStale = again || ageMs > ASK_AGAIN_AFTER_MS[entry.result]
      if (isStale) entry.asked.clear()
      proven.set(text, entry)
      if (proven.size > MAX_CANDIDATES * 2) proven.delete([...proven.keys()][0] ?? '')
      await prove(entry, inner, outerIp, signal)
    }
    asking = undefined
  }

  async function prove(
    entry: ProvenAddress & { asked: Set<string> },
    inner: Multiaddr,
    outerIp: string,
    signal: AbortSignal,
  ): Promise<void> {
    for (const connection of await askable()) {
      const peerId = connection.remotePeer.toString()
      if (signal.aborted || entry.asked.size >= PEERS_PER_ADDRESS) return
      if (entry.asked.has(peerId) || (entry.result === 'reachable' && entry.asked.size > 0)) continue
      const status = await ask(connection, multiaddr(entry.address), signal)
      if (status !== 'ok' && status !== 'dial-error') continue
      entry.asked.add(peerId)
      entry.askedPeers = entry.asked.size
      entry.atMs = Date.now()
      const before = entry.result
      entry.result = status === 'ok' ? 'reachable' : 'unreachable'
      if (entry.result === 'reachable') confirm(entry.address, inner, outerIp)
      if (before !== entry.result)
        log.info('a peer tried to reach this node', { address: entry.address, result: entry.result })
      if (entry.result === 'reachable') return
    }
  }

  async function ask(
    connection: Connection,
    address: Multiaddr,
    signal: AbortSignal,
  ): Promise<DialBackStatus | undefined> {
    try {
      return await askToDialBack(connection, libp2p.peerId, address, signal)
    } catch (error) {
      if (!signal.aborted) log.debug('a peer could not be asked to dial back', { error })
      return undefined
    }
  }

  function confirm(text: string, inner: Multiaddr, outerIp: string): void {
    const [, , innerIp = '', protocol, port = ''] = inner.toString().split('/')
    const outerPort = Number(text.split('/')[4])
    // The address manager would keep a second mapping like the first.
    const isKnown = addressManager
      .getAddressesWithMetadata()
      .some(({ multiaddr: known, type }) => type === 'ip-mapping' && withoutPeer(known.toString()) === text)
    if (innerIp !== outerIp && !isKnown) {
      addressManager.addPublicAddressMapping(
        innerIp,
        Number(port),
        outerIp,
        outerPort,
        protocol === 'udp' ? 'udp' : 'tcp',
      )
    }
    addressManager.confirmObservedAddr(multiaddr(text))
  }

  /** Connections to peers that can dial back, oldest first. */
  async function askable(): Promise<Connection[]> {
    const direct = libp2p
      .getConnections()
      .filter(({ limits, remoteAddr }) => limits === undefined && relayOf(remoteAddr.toString()) === undefined)
      .slice(0, PEERS_PER_ADDRESS * 4)
    const able = await Promise.all(direct.map(async (connection) => speaksDialBack(libp2p, connection)))
    return direct.filter((_, index) => able[index])
  }

  const review = setInterval(soon, REVIEW_EVERY_MS).unref()
  libp2p.addEventListener('peer:identify', onIdentify)
  return {
    facts: () => ({
      publicIps: [...publicIps],
      natKind: natKind(publicIps, seenPorts),
      asking,
      addresses: [...proven.values()].map(({ address, result, askedPeers, atMs }) => ({
        address,
        result,
        askedPeers,
        atMs,
      })),
    }),
    tryAnew() {
      for (const entry of proven.values()) {
        if (entry.result === 'unreachable') entry.atMs = undefined
      }
      // A peer that tries a closed port waits for half a minute in all: what is under way would only hold up the rest.
      outdated.abort()
      outdated = new AbortController()
      soon()
    },
    async askAgain(signal) {
      await running
      running = askAll(AbortSignal.any([signal, stopped.signal, outdated.signal]), true).finally(finish)
      await running
    },
    async stop() {
      stopped.abort()
      clearTimeout(timer)
      clearInterval(review)
      libp2p.removeEventListener('peer:identify', onIdentify)
      await running
    },
  }
}

async function speaksDialBack(libp2p: Libp2p, connection: Connection): Promise<boolean> {
  if (!(await libp2p.peerStore.has(connection.remotePeer))) return false
  const { protocols } = await libp2p.peerStore.get(connection.remotePeer)
  return protocols.includes(DIAL_BACK_PROTOCOL)
}

function natKind(publicIps: ReadonlySet<string>, seenPorts: ReadonlyMap<string, string>): SeenFromOutside['natKind'] {
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []))
  if (publicIps.size > 0 && [...publicIps].every((ip) => own.has(ip))) return 'none'
  if (seenPorts.size < 2) return 'unknown'
  return new Set(seenPorts.values()).size === 1 ? 'one-port' : 'port-per-peer'
}

const withoutPeer = (text: string): string => text.replace(/\/p2p\/[^/]+$/, '')
