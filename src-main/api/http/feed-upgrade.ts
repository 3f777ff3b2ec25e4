import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { FEED_PROTOCOL, TOKEN_PROTOCOL_PREFIX } from '#shared/contract/wire.js'
import { AppError } from '#shared/errors.js'
import type { Log } from '../../logging/index.js'
import type { Feeds } from '../feeds.js'
import { serveFeedSocket } from './feed-socket.js'

/** The path of the feed socket. */
const FEED_PATH = '/api/feed'

const MAX_SOCKETS = 32
const MAX_MESSAGE_BYTES = 64 * 1024
/** A reader that answered no ping for this long is gone. */
const PING_INTERVAL_MS = 30_000

/** What turns upgrade requests into feed sockets. */
export interface FeedUpgrades {
  /** `authorize` throws an {@link AppError} when the request may not pass; it gets the token the request carries. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer, authorize: (token: string | undefined) => void): void
  stop(): void
}

/** Feed sockets over WebSocket: the token is the second subprotocol, so it stands in no URL. */
export function createFeedUpgrades(needs: { feeds: Feeds; log: Log }): FeedUpgrades {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: () => FEED_PROTOCOL,
  })
  const alive = new WeakSet<WebSocket>()
  const pings = setInterval(() => {
    for (const socket of server.clients) {
      if (!alive.delete(socket)) socket.terminate()
      else socket.ping()
    }
  }, PING_INTERVAL_MS)
  pings.unref()

  function assertUpgrade(request: IncomingMessage, protocols: readonly string[]): void {
    if (request.url !== FEED_PATH) throw new AppError('not_found', 'The feeds are at another address.')
    if (!protocols.includes(FEED_PROTOCOL)) {
      throw new AppError('invalid_request', `A feed socket speaks the subprotocol "${FEED_PROTOCOL}".`)
    }
    if (server.clients.size >= MAX_SOCKETS) throw new AppError('rate_limited', 'Too many open feed sockets.')
  }

  return {
    handle(request, socket, head, authorize) {
      socket.on('error', (error) => needs.log.debug('a feed socket failed', { error }))
      try {
        const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
        authorize(tokenIn(protocols))
        assertUpgrade(request, protocols)
      } catch (error) {
        refuse(socket, error, needs.log)
        return
      }
      server.handleUpgrade(request, socket, head, (webSocket) => {
        alive.add(webSocket)
        webSocket.on('pong', () => alive.add(webSocket))
        serveFeedSocket(needs, webSocket)
      })
    },
    stop() {
      clearInterval(pings)
      for (const socket of server.clients) socket.terminate()
      server.close()
    },
  }
}

function tokenIn(protocols: readonly string[]): string | undefined {
  return protocols.find((name) => name.startsWith(TOKEN_PROTOCOL_PREFIX))?.slice(TOKEN_PROTOCOL_PREFIX.length)
}

function refuse(socket: Duplex, error: unknown, log: Log): void {
  if (!(error instanceof AppError)) log.error('a feed socket could not be opened', { error })
  const status = error instanceof AppError ? error.status : 500
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
