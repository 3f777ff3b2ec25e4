import type { Duplex } from 'node:stream'
import type { Connection } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { AppError } from '#shared/errors.js'
import type { Service } from '../../base/lifecycle.js'
import { ConnectFailedError, createHttpClient, type HttpClient } from '../../http-client/index.js'
import type { Log } from '../../logging/index.js'
import { createConnector, type Connector } from '../dial/connect.js'
import { bestConnection, isRelayed } from '../dial/dial-order.js'
import { DeadPeerError } from '../hardening/liveness/dead-peer.js'
import type { LivenessWatch } from '../hardening/liveness/liveness-watch.js'
import { tuneStream } from '../hardening/transports/index.js'
import type { Host } from '../index.js'
import {
  CLIENT_KEEP_ALIVE_MS,
  HTTP_PROTOCOL,
  MAX_HTTP_STREAMS,
  MAX_STREAMS_PER_PEER,
  StreamDuplex,
} from './stream-duplex.js'

/** HTTP clients of other peers: keep-alive streams, one request at a time on each. */
export interface PeerClients extends Service {
  /**
   * The client whose requests reach `peerId`'s peer listener. Streams open on demand; opening one takes at most
   * `connectTimeoutMs`, dialling the peer first where needed.
   */
  to(peerId: string): HttpClient
  /** Ends the requests that run at that peer; others may begin. */
  cut(peerId: string, reason: Error): void
  /** Peers that streams are kept for, and those open to all of them. */
  stats(): { pools: number; streams: number }
}

/** A stream that takes so long to open (ms) may be over a connection to nobody. */
const DOUBT_AFTER_MS = 1_000

/** Clients kept for peers; the least recently used idle one makes room. */
const MAX_CLIENTS = 1_024

interface PeerClient {
  client: HttpClient
  /** Counts up with each use of any client. */
  usedAt: number
}

/** @throws AppError `invalid_peer_id` from {@link PeerClients.to} for a string that is no peer id. */
export function createPeerClients(
  needs: { host: Host; log: Log },
  options: { connectTimeoutMs: () => number },
): PeerClients {
  return new StreamClients(needs, options)
}

class StreamClients implements PeerClients {
  readonly name = 'p2p-http-clients'
  readonly #host: Host
  readonly #log: Log
  readonly #connectTimeoutMs: () => number
  readonly #connector: Connector
  readonly #clients = new Map<string, PeerClient>()
  #uses = 0
  #liveness: LivenessWatch | undefined
  #unfollow: (() => void) | undefined

  constructor({ host, log }: { host: Host; log: Log }, { connectTimeoutMs }: { connectTimeoutMs: () => number }) {
    this.#host = host
    this.#log = log.forComponent('p2p-http')
    this.#connectTimeoutMs = connectTimeoutMs
    this.#connector = createConnector({ libp2p: () => host.libp2p, liveness: () => host.liveness })
  }

  start(): Promise<void> {
    this.#liveness = this.#host.liveness
    this.#unfollow = this.#liveness?.follow(() => this.#connectionsInUse())
    return Promise.resolve()
  }

  stop(): Promise<void> {
    this.#unfollow?.()
    for (const [peerId, { client }] of this.#clients) {
      client.destroy(new PeerUnreachableError(peerId, new Error('this node stops')))
    }
    this.#clients.clear()
    return Promise.resolve()
  }

  stats(): { pools: number; streams: number } {
    let streams = 0
    for (const { client } of this.#clients.values()) streams += client.stats.connections
    return { pools: this.#clients.size, streams }
  }

  cut(peerId: string, reason: Error): void {
    const known = this.#clients.get(peerId)
    this.#clients.delete(peerId)
    known?.client.destroy(new PeerUnreachableError(peerId, reason))
  }

  to(peerId: string): HttpClient {
    this.#liveness?.wake()
    this.#uses += 1
    const known = this.#clients.get(peerId)
    if (known !== undefined) {
      known.usedAt = this.#uses
      return known.client
    }
    assertPeerId(peerId)
    this.#makeRoom()
    const client = createHttpClient({
      connect: () => this.#connect(peerId),
      maxConnections: MAX_STREAMS_PER_PEER,
      keepAliveMs: CLIENT_KEEP_ALIVE_MS,
      mayReuse: (socket) => this.#mayReuse(socket),
      onSend: (socket) => {
        if (socket instanceof StreamDuplex) this.#liveness?.used(socket.connection)
      },
    })
    this.#clients.set(peerId, { client, usedAt: this.#uses })
    return client
  }

  async #connect(peerId: string): Promise<Duplex> {
    try {
      const stream = await this.#openStream(peerId)
      this.#liveness?.wake()
      return stream
    } catch (error) {
      this.#log.debug('a stream to a peer could not be opened', { peerId, error })
      throw error instanceof PeerUnreachableError ? error : new PeerUnreachableError(peerId, error)
    }
  }

  /**
   * A connection that is lost while a stream is opened on it, or most likely is, is replaced by another that is open, and
   * by no dial: others may be there for the request.
   */
  async #openStream(peerId: string): Promise<Duplex> {
    const signal = AbortSignal.timeout(this.#connectTimeoutMs())
    for (let connection = await this.#connector.connect(peerId, signal); ;) {
      try {
        return await this.#openOn(connection, signal)
      } catch (error) {
        const isLost = connection.status !== 'open'
        const other = this.#otherThan(connection)
        if (signal.aborted || (other === undefined && !isLost)) throw error
        if (other === undefined) throw new PeerUnreachableError(peerId, error, { wasLost: true })
        connection = other
      }
    }
  }

  async #openOn(connection: Connection, signal: AbortSignal): Promise<Duplex> {
    const doubting = setTimeout(() => this.#liveness?.doubt(connection), DOUBT_AFTER_MS).unref()
    const leaving = new AbortController()
    const unfollow = this.#liveness?.onSuspect((suspect) => {
      if (suspect === connection && this.#otherThan(connection) !== undefined) leaving.abort()
    })
    try {
      const stream = await connection.newStream(HTTP_PROTOCOL, {
        maxOutboundStreams: MAX_HTTP_STREAMS,
        runOnLimitedConnection: true,
        signal: AbortSignal.any([signal, leaving.signal]),
      })
      tuneStream(stream)
      return new StreamDuplex(stream, connection)
    } catch (error) {
      if (signal.aborted && isRelayed(connection)) throw new DeadPeerError(true, { cause: error })
      throw error
    } finally {
      clearTimeout(doubting)
      unfollow?.()
    }
  }

  /** Another connection to the same peer that is open and in no doubt; undefined for the same where it failed otherwise. */
  #otherThan(connection: Connection): Connection | undefined {
    const isLeft = connection.status !== 'open' || this.#liveness?.isDoubted([connection]) === true
    const best = bestConnection(this.#host.connectionsTo(connection.remotePeer.toString()), this.#liveness)
    return isLeft && best !== connection ? best : undefined
  }

  *#connectionsInUse(): Generator<Connection> {
    for (const { client } of this.#clients.values()) {
      for (const socket of client.inUse()) if (socket instanceof StreamDuplex) yield socket.connection
    }
  }

  /**
   * A relayed stream takes no further request once there is a direct connection: else the relay would stay in use. Nor
   * does one over a connection in doubt, where there is another.
   */
  #mayReuse(socket: Duplex): boolean {
    if (!(socket instanceof StreamDuplex)) return true
    const { connection } = socket
    const isDoubted = this.#liveness?.isDoubted([connection]) === true
    if (!isDoubted && !isRelayed(connection)) return true
    const best = bestConnection(this.#host.connectionsTo(socket.remoteAddress), this.#liveness)
    return best === undefined || best === connection || (!isDoubted && isRelayed(best))
  }

  #makeRoom(): void {
    if (this.#clients.size < MAX_CLIENTS) return
    let oldest: [string, PeerClient] | undefined
    for (const candidate of this.#clients) {
      if (isIdle(candidate[1].client) && (oldest?.[1].usedAt ?? Infinity) > candidate[1].usedAt) oldest = candidate
    }
    if (oldest === undefined) return
    const [peerId, { client }] = oldest
    this.#clients.delete(peerId)
    client.destroy(new PeerUnreachableError(peerId, new Error('too many peers')))
  }
}

const isIdle = ({ stats }: HttpClient): boolean => stats.running + stats.waiting === 0

/** No stream to the peer could be opened, or all of them were closed; nothing of the request was sent. */
export class PeerUnreachableError extends ConnectFailedError {
  override readonly name: string = 'PeerUnreachableError'
  readonly peerId: string
  /** The connection there was is gone, and no other was dialled. */
  readonly wasLost: boolean

  constructor(peerId: string, cause: unknown, { wasLost = false }: { wasLost?: boolean } = {}) {
    super(cause, wasLost ? 'the connection was lost' : 'the peer can not be reached')
    this.peerId = peerId
    this.wasLost = wasLost
  }
}

/** @throws AppError `invalid_peer_id` */
export function assertPeerId(text: string): void {
  try {
    peerIdFromString(text)
  } catch (error) {
    throw new AppError('invalid_peer_id', `"${text.slice(0, 80)}" is not a peer id. Peer ids look like 12D3KooW….`, {
      cause: error,
    })
  }
}
