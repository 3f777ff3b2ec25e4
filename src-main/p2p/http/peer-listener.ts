import http from 'node:http'
import type { Connection, Stream } from '@libp2p/interface'
import type { Service } from '../../base/lifecycle.js'
import type { Log } from '../../logging/index.js'
import { createFairSlots } from '../hardening/connection-limits/fair-slots.js'
import { tuneStream } from '../hardening/transports/index.js'
import type { Host } from '../index.js'
import { limitQuestions } from './questions.js'
import { followResponses } from './running-responses.js'
import {
  HTTP_PROTOCOL,
  MAX_HTTP_STREAMS,
  SERVER_KEEP_ALIVE_MS,
  STANDARD_HTTP_PROTOCOL,
  StreamDuplex,
} from './stream-duplex.js'
import { createStreamMemory } from './stream-memory.js'
import { acceptUpgrades, isWebSocketHandshake } from './upgrades.js'

/** A request's headers are complete within this, also where they come drop by drop. */
const HEADERS_TIMEOUT_MS = 30_000

/** Headers a peer may send in one request. */
const MAX_HEADER_BYTES = 32 * 1024

/** Requests of a stream that are not answered yet. Hardly anybody sends a second one, and a thousand fit into one packet. */
const MAX_PIPELINED = 8

/** What the listener takes of all peers together. */
export interface PeerListenerLimits {
  /** Streams open at a time, some 20 KB each while nothing runs on them. Full, who has most loses idle ones. */
  maxStreams: number
  /** Bytes that wait in them for a local server, or for a peer to read. */
  maxBufferedBytes: number
  /** How long (ms) the headers of a request may take; left out: 30 s, as at the gateway. */
  headersMs?: number
}

const LIMITS: PeerListenerLimits = { maxStreams: 8_192, maxBufferedBytes: 256 * 1024 * 1024 }

/** HTTP/1.1 on libp2p streams. */
export interface PeerListener extends Service {
  /** Takes no stream any more; resolves when the last response is complete, at the latest after `graceMs`. */
  drain(graceMs: number): Promise<void>
  /** Ends the requests of that peer that run here; others may begin. */
  cut(peerId: string): void
}

/**
 * Serves HTTP/1.1 to other peers on libp2p streams. The handler finds the caller's peer id, proven by the secure
 * channel, in `req.socket.remoteAddress`.
 */
export function createPeerListener(
  needs: { host: Host; handler: http.RequestListener; log: Log },
  limits: PeerListenerLimits = LIMITS,
): PeerListener {
  const log = needs.log.forComponent('peer-listener')
  const handler = limitQuestions(needs.handler)
  const { headersMs = HEADERS_TIMEOUT_MS } = limits
  const open = new Set<StreamDuplex>()
  const slots = createFairSlots({ max: limits.maxStreams })
  const memory = createStreamMemory({
    maxBytes: limits.maxBufferedBytes,
    onCut: (peerId) => log.warn('a stream was cut: too much waited in it to be read', { peerId }),
  })
  const server = http.createServer(
    {
      keepAliveTimeout: SERVER_KEEP_ALIVE_MS,
      headersTimeout: headersMs,
      // Node looks every 30 s unless told otherwise.
      connectionsCheckingInterval: headersMs / 10,
      // Bodies may stream for as long as they move; the forwarder ends idle ones.
      requestTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
      sendDate: false,
      shouldUpgradeCallback: isWebSocketHandshake,
    } as http.ServerOptions,
    (request, response) => {
      if (responses.count(request.socket) < MAX_PIPELINED) handler(request, response)
      else request.socket.destroy()
    },
  )
  const responses = followResponses(server)
  // Cut with all other streams when the listener stops.
  acceptUpgrades(server, handler)
  let closing: Promise<void> | undefined
  server.on('clientError', (error, socket) => {
    log.debug('a peer sent something that is not HTTP', { error })
    socket.destroy()
  })

  const accept = (stream: Stream, connection: Connection): void => {
    const peerId = connection.remotePeer.toString()
    const slot = slots.take(peerId, {
      onEvicted: () => socket.destroy(),
      isBusy: () => responses.on(socket) !== undefined,
    })
    if (slot === undefined) {
      stream.abort(new Error('this peer has opened too many streams'))
      return
    }
    tuneStream(stream)
    const socket = new StreamDuplex(stream, connection)
    open.add(socket)
    memory.watch(peerId, stream, socket)
    socket.once('close', () => {
      open.delete(socket)
      slot.release()
    })
    server.emit('connection', socket)
  }

  function close(): Promise<void> {
    closing ??= (async () => {
      await needs.host.libp2p.unhandle([HTTP_PROTOCOL, STANDARD_HTTP_PROTOCOL])
      server.close()
    })()
    return closing
  }

  return {
    name: 'peer-listener',
    async start() {
      // Node watches over the connections of a listening server only: without this, `headersTimeout` is never kept.
      server.emit('listening')
      await needs.host.libp2p.handle([HTTP_PROTOCOL, STANDARD_HTTP_PROTOCOL], accept, {
        maxInboundStreams: MAX_HTTP_STREAMS,
        maxOutboundStreams: MAX_HTTP_STREAMS,
        runOnLimitedConnection: true,
      })
    },
    async drain(graceMs) {
      await close()
      await responses.drain(graceMs)
    },
    cut(peerId) {
      for (const socket of open) if (socket.remoteAddress === peerId) socket.destroy()
    },
    async stop() {
      await close()
      memory.stop()
      for (const socket of open) socket.destroy()
    },
  }
}
