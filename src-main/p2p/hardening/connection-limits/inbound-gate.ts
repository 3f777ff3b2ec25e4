// For libp2p 3.3.11: it counts pending connections of all sources together, so one source can keep all others out; and
// for @libp2p/websockets 10.1.21, which waits for ever for a first byte. Goes when handshakes are limited by source and
// in time.

import { Server, type Socket } from 'node:net'
import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import { monotonicClock, type MonotonicClock } from '../../../base/clock.js'
import { fullBucket, refilled, type Bucket, type BucketRate } from '../../../base/token-bucket.js'
import { sourceOf, sourceOfHost } from '../../dial/ip-scope.js'
import { override } from '../../reach/override.js'
import type { TransportFactory } from '../transports/intercept-upgrade.js'
import { createFairSlots, type Slot } from './fair-slots.js'

/** Decides which connections may try to become one of ours; everything here happens before a handshake costs anything. */
export interface InboundGate {
  /**
   * A connection from `multiaddr` begins its upgrade, which ends with `release`. Undefined: it has to go. `onEvicted`
   * ends one that has taken a slot for too long.
   */
  begin(multiaddr: string, onEvicted: () => void): Slot | undefined
  /** Looks after sockets whose listener waits for ever for a first byte or a request (the WebSocket one). */
  watch(server: Server): void
}

export interface InboundGateOptions {
  /** Connections whose handshake is not complete, of all sources together. */
  maxPending: number
  /** Handshakes of one source: at once, and a second after that. Each costs one to three milliseconds of a core. */
  handshakes: BucketRate
  /** How long (ms) a socket may take to say what it wants. */
  silenceMs: number
}

/**
 * A rush hour behind one address (a whole office, a bootstrap node that is back) fits into the burst. After it, one
 * address can take up a tenth of a core at most.
 */
export const INBOUND_GATE: InboundGateOptions = {
  maxPending: 1024,
  handshakes: { capacity: 2000, refillPerS: 50 },
  silenceMs: 10_000,
}

/** Sources whose handshakes are remembered; the one not heard of for longest is forgotten, with its bucket full again. */
const MAX_SOURCES = 4096

/** `mayEnter`: whether a source may have one more connection, given those it has. */
export function createInboundGate(
  needs: { mayEnter: (source: string) => boolean; clock?: MonotonicClock },
  options: InboundGateOptions = INBOUND_GATE,
): InboundGate {
  const { mayEnter, clock = monotonicClock } = needs
  const pending = createFairSlots({ max: options.maxPending })
  const buckets = new Map<string, Bucket>()
  /** Sockets of a watched listener that have not come to their upgrade, by `host port`. */
  const silent = new Map<string, () => void>()

  function takeHandshake(source: string): boolean {
    const now = clock.elapsedMs()
    const bucket = refilled(buckets.get(source) ?? fullBucket(options.handshakes, now), options.handshakes, now)
    const isEnough = bucket.tokens >= 1
    buckets.delete(source)
    buckets.set(source, isEnough ? { ...bucket, tokens: bucket.tokens - 1 } : bucket)
    const [oldest] = buckets.keys()
    if (buckets.size > MAX_SOURCES && oldest !== undefined) buckets.delete(oldest)
    return isEnough
  }

  function watchSocket(socket: Socket): void {
    const { remoteAddress, remotePort } = socket
    if (remoteAddress === undefined) return
    const slot = pending.take(sourceOfHost(remoteAddress), { onEvicted: () => socket.destroy() })
    if (slot === undefined) {
      socket.destroy()
      return
    }
    const key = `${withoutMapping(remoteAddress)} ${remotePort}`
    const timer = setTimeout(() => socket.destroy(), options.silenceMs).unref()
    const settle = (): void => {
      clearTimeout(timer)
      slot.release()
      if (silent.get(key) === settle) silent.delete(key)
    }
    silent.set(key, settle)
    socket.once('close', settle)
  }

  return {
    begin(multiaddr, onEvicted) {
      const [, , host = '', , port = ''] = multiaddr.split('/')
      silent.get(`${withoutMapping(host)} ${port}`)?.()
      const source = sourceOf(multiaddr)
      if (!mayEnter(source) || !pending.hasRoomFor(source) || !takeHandshake(source)) return undefined
      return pending.take(source, { onEvicted })
    },
    watch: (server) => void server.on('connection', watchSocket),
  }
}

const withoutMapping = (host: string): string => host.replace(/^::ffff:/, '')

/**
 * A transport whose inbound connections have to pass the gate. `watchesSockets`: for a listener that leaves sockets alone
 * until they speak.
 */
export function gatedTransport<C extends object>(
  factory: TransportFactory<C>,
  gate: InboundGate,
  options: { watchesSockets?: boolean } = {},
): TransportFactory<C> {
  return (components) => {
    // The relay transport has no listener of its own: it takes the upgrader of its components.
    const upgrader = Reflect.get(components, 'upgrader') as Upgrader | undefined
    const own = upgrader === undefined ? {} : { upgrader: gatedUpgrader(upgrader, gate) }
    const transport = factory(override(components, own as Partial<C>))
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (listenerOptions: Parameters<Transport['createListener']>[0]) => {
      const listener = createListener({ ...listenerOptions, upgrader: gatedUpgrader(listenerOptions.upgrader, gate) })
      const server: unknown = Reflect.get(listener, 'server')
      if (options.watchesSockets === true && server instanceof Server) gate.watch(server)
      return listener
    }
    return transport
  }
}

function gatedUpgrader(upgrader: Upgrader, gate: InboundGate): Upgrader {
  return {
    upgradeOutbound: (connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeOutbound']>[1]) =>
      upgrader.upgradeOutbound(connection, options),
    async upgradeInbound(connection: MultiaddrConnection, options: Parameters<Upgrader['upgradeInbound']>[1]) {
      const slot = gate.begin(connection.remoteAddr.toString(), () =>
        connection.abort(new Error('others have waited for less')),
      )
      if (slot === undefined) throw new Error('too many connections')
      try {
        await upgrader.upgradeInbound(connection, options)
      } finally {
        slot.release()
      }
    },
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  }
}
