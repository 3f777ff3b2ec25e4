import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import {
  FEED_PROTOCOL,
  FollowerMessageSchema,
  TOKEN_PROTOCOL_PREFIX,
  type FollowedMessage,
  type FollowerMessage,
} from '#shared/contract/wire.js'
import { AppError, toWireError } from '#shared/errors.js'
import type { Log } from '../../logging/index.js'
import type { Feeds } from '../feeds.js'

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
  /** Ends every open socket, as its token no longer counts. */
  disconnectAll(): void
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

  function disconnectAll(): void {
    for (const socket of server.clients) socket.terminate()
  }

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
    disconnectAll,
    stop() {
      clearInterval(pings)
      disconnectAll()
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

/** Feeds one socket may follow at a time; a dashboard needs one per topic. */
const MAX_FOLLOWED = 32
/** Bytes on their way to a slow reader before he is left out until they arrived. */
const MAX_BUFFERED_BYTES = 1024 * 1024

/** Serves the feeds to one authenticated socket until it closes. */
function serveFeedSocket(needs: { feeds: Feeds; log: Log }, socket: WebSocket): void {
  const followed = new Map<number, () => void>()

  function send(message: FollowedMessage): void {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
  }

  function handle(message: FollowerMessage): void {
    followed.get(message.id)?.()
    followed.delete(message.id)
    if (message.type === 'unfollow') return
    if (followed.size >= MAX_FOLLOWED) throw new AppError('rate_limited', 'Too many feeds on one connection.')
    const { id } = message
    const stop = needs.feeds.follow(message.feed, {
      ready: () => socket.bufferedAmount < MAX_BUFFERED_BYTES,
      send: (feedMessage) => send({ id, message: feedMessage }),
    })
    followed.set(id, stop)
  }

  socket.on('message', (data, isBinary) => {
    const message = isBinary ? undefined : parseMessage(data)
    if (message === undefined) {
      socket.close(1008, 'not a message of this protocol')
      return
    }
    try {
      handle(message)
    } catch (error) {
      if (!(error instanceof AppError)) needs.log.error('a feed could not be followed', { error })
      send({ id: message.id, error: toWireError(error, '').error })
    }
  })
  socket.on('error', (error) => needs.log.debug('a feed socket failed', { error }))
  socket.on('close', () => {
    for (const stop of followed.values()) stop()
    followed.clear()
  })
}

function parseMessage(data: RawData): FollowerMessage | undefined {
  try {
    // `ws` hands over one Buffer per message unless told otherwise.
    return FollowerMessageSchema.safeParse(JSON.parse((data as Buffer).toString('utf8'))).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
