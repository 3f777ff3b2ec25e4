// For libp2p 3.3.11: it counts pending connections of all sources together, so one source can keep all others out; and
// for @libp2p/websockets 10.1.21, which waits for ever for a first byte, and whose listener ends the process when the
// system has no descriptor for a connection. Goes when handshakes are limited by source and in time.

import { Server, type Socket } from 'node:net'
import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import { monotonicClock, type MonotonicClock } from '../../../base/clock.js'
import { fullBucket, refilled, type Bucket, type BucketRate } from '../../../base/token-bucket.js'
import { atMostEvery, type Log } from '../../../logging/index.js'
import { sourceOf, sourceOfHost } from '../../dial/ip-scope.js'
import { surviveAcceptErrors } from '../../http/accepted-sockets.js'
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
  /**
   * Follows the sockets of a listener that is to be started. `waits`: it waits for ever for a first byte or a request (the
   * WebSocket one), so the gate does not.
   */
  watch(server: Server, options: { waits: boolean }): void
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

const WARN_EVERY_MS = 60_000

/** Sources whose handshakes are remembered; the one not heard of for longest is forgotten, with its bucket full again. */
const MAX_SOURCES = 4096

/** `mayEnter`: whether a source may have one more connection, given those it has. */
export function createInboundGate(
  needs: { mayEnter: (source: string) => boolean; log: Log; clock?: MonotonicClock },
  options: InboundGateOptions = INBOUND_GATE,
): InboundGate {
  const { mayEnter, log, clock = monotonicClock } = needs
  const pending = createFairSlots({ max: options.maxPending })
  const buckets = new Map<string, Bucket>()
  /** Sockets of the watched listeners, by `host port`. */
  const sockets = new Map<string, Socket>()
  /** Those that have not come to their upgrade, of a listener that waits. */
  const waiting = new Map<string, () => void>()
  const warnFull = atMostEvery(
    WARN_EVERY_MS,
    (leftOut) =>
      log.warn('as many connections as may be are being set up: silent ones are closed for new ones', {
        max: options.maxPending,
        timesBefore: leftOut,
      }),
    clock,
  )

  function take(source: string, socket: Socket | undefined, onEvicted: () => void): Slot | undefined {
    if (pending.used >= options.maxPending) warnFull()
    return pending.take(source, { onEvicted, isSilent: () => socket?.bytesRead === 0 })
  }

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

  function follow(socket: Socket): string {
    const key = keyOf(socket.remoteAddress ?? '', socket.remotePort ?? '')
    sockets.set(key, socket)
    socket.once('close', () => {
      if (sockets.get(key) === socket) sockets.delete(key)
    })
    return key
  }

  function waitFor(socket: Socket, key: string): void {
    const slot = take(sourceOfHost(socket.remoteAddress ?? ''), socket, () => socket.destroy())
    if (slot === undefined) {
      socket.destroy()
      return
    }
    const timer = setTimeout(() => socket.destroy(), options.silenceMs).unref()
    const settle = (): void => {
      clearTimeout(timer)
      slot.release()
      if (waiting.get(key) === settle) waiting.delete(key)
    }
    waiting.set(key, settle)
    socket.once('close', settle)
  }

  return {
    begin(multiaddr, onEvicted) {
      const [, , host = '', , port = ''] = multiaddr.split('/')
      const key = keyOf(host, port)
      waiting.get(key)?.()
      const source = sourceOf(multiaddr)
      if (!pending.hasRoomFor(source)) warnFull()
      if (!mayEnter(source) || !pending.hasRoomFor(source) || !takeHandshake(source)) return undefined
      return take(source, sockets.get(key), onEvicted)
    },
    watch(server, { waits }) {
      // Before the listener, which begins the upgrade at once.
      server.prependListener('connection', (socket) => {
        if (socket.remoteAddress === undefined) return
        const key = follow(socket)
        if (waits) waitFor(socket, key)
      })
      surviveAcceptErrors(server, { log }, { listener: 'peers' })
    },
  }
}

/** An IPv4 address is written in two ways, depending on the listener. */
const keyOf = (host: string, port: string | number): string => `${host.replace(/^::ffff:/, '')} ${port}`

/**
 * A transport whose inbound connections have to pass the gate. `waits`: for a listener that leaves sockets alone until
 * they speak.
 */
export function gatedTransport<C extends object>(
  factory: TransportFactory<C>,
  gate: InboundGate,
  options: { waits: boolean } = { waits: false },
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
      if (server instanceof Server) gate.watch(server, options)
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
