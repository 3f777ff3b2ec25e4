import type { Duplex } from 'node:stream'
import { peerIdFromString } from '@libp2p/peer-id'
import { Pool, type Dispatcher } from 'undici'
import { AppError } from '#shared/errors.js'
import type { Service } from '../../lifecycle.js'
import type { Log } from '../../logging/index.js'
import type { Host } from '../index.js'
import { createConnector } from '../connect.js'
import { tuneStream } from '../transport-tuning/index.js'
import { CLIENT_KEEP_ALIVE_MS, HTTP_PROTOCOL, MAX_HTTP_STREAMS, MAX_STREAMS_PER_PEER } from './constants.js'
import { StreamDuplex } from './stream-duplex.js'

/** HTTP clients of other peers' doors: one pool of keep-alive streams a peer. */
export interface PeerClients extends Service {
  /**
   * The dispatcher whose requests reach `peerId`'s peer door. Streams open on demand; opening one takes at most
   * `connectTimeoutMs`, dialling the peer first where needed.
   */
  dispatcher(peerId: string): Dispatcher
  /** Peers with a pool, and the streams open in all of them. */
  stats(): { pools: number; streams: number }
}

/** Pools kept for peers; the least recently used idle one makes room. */
const MAX_POOLS = 1_024

interface PeerPool {
  pool: Pool
  /** Counts up with each use of any pool. */
  usedAt: number
  inFlight: () => number
}

/** @throws AppError `invalid_peer_id` from {@link PeerClients.dispatcher} for a string that is no peer id. */
export function createPeerClients(needs: { host: Host; log: Log }, options: { connectTimeoutMs: number }): PeerClients {
  const { host } = needs
  const log = needs.log.forComponent('p2p-http')
  const connector = createConnector({ libp2p: () => host.libp2p })
  const pools = new Map<string, PeerPool>()
  let uses = 0

  async function openStream(peerId: string): Promise<Duplex> {
    const signal = AbortSignal.timeout(options.connectTimeoutMs)
    const connection = await connector.connect(peerId, signal)
    const stream = await connection.newStream(HTTP_PROTOCOL, {
      maxOutboundStreams: MAX_HTTP_STREAMS,
      runOnLimitedConnection: true,
      signal,
    })
    tuneStream(stream)
    return new StreamDuplex(stream, connection)
  }

  function createPool(peerId: string): PeerPool {
    const pool = new Pool(`http://${peerId.toLowerCase()}.libp2p`, {
      connections: MAX_STREAMS_PER_PEER,
      pipelining: 1,
      keepAliveTimeout: CLIENT_KEEP_ALIVE_MS,
      keepAliveMaxTimeout: CLIENT_KEEP_ALIVE_MS,
      connect: (_options, callback) => {
        openStream(peerId).then(
          (stream) => callback(null, stream as never),
          (error: unknown) => {
            log.debug('a stream to a peer could not be opened', { peerId, error })
            callback(new PeerUnreachableError(peerId, error), null)
          },
        )
      },
    })
    return { pool, usedAt: 0, inFlight: () => pool.stats.running + pool.stats.pending + pool.stats.queued }
  }

  function destroy(peerId: string, cause: string): void {
    const entry = pools.get(peerId)
    if (entry === undefined) return
    pools.delete(peerId)
    entry.pool.destroy(new PeerUnreachableError(peerId, new Error(cause))).catch((error: unknown) => {
      log.warn('a stream pool failed to close', { peerId, error })
    })
  }

  function makeRoom(): void {
    if (pools.size < MAX_POOLS) return
    let oldest: [string, PeerPool] | undefined
    for (const candidate of pools) {
      if (candidate[1].inFlight() === 0 && (oldest?.[1].usedAt ?? Infinity) > candidate[1].usedAt) oldest = candidate
    }
    if (oldest !== undefined) destroy(oldest[0], 'too many peers')
  }

  return {
    name: 'p2p-http-clients',
    start: () => Promise.resolve(),
    async stop() {
      const entries = [...pools.values()]
      pools.clear()
      await Promise.all(entries.map((entry) => entry.pool.destroy()))
    },
    stats() {
      let streams = 0
      for (const { pool } of pools.values()) streams += pool.stats.connected
      return { pools: pools.size, streams }
    },
    dispatcher(peerId) {
      const known = pools.get(peerId)
      if (known !== undefined) {
        known.usedAt = uses += 1
        return known.pool
      }
      assertPeerId(peerId)
      makeRoom()
      const entry = createPool(peerId)
      entry.usedAt = uses += 1
      pools.set(peerId, entry)
      return entry.pool
    },
  }
}

/** No stream to the peer could be opened, or all of them were closed; nothing of the request was sent. */
export class PeerUnreachableError extends Error {
  override readonly name = 'PeerUnreachableError'
  readonly peerId: string

  constructor(peerId: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : 'the peer can not be reached', { cause })
    this.peerId = peerId
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
