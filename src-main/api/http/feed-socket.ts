import type { RawData, WebSocket } from 'ws'
import { FollowerMessageSchema, type FollowedMessage, type FollowerMessage } from '#shared/contract/wire.js'
import { AppError, toWireError } from '#shared/errors.js'
import type { Log } from '../../logging/index.js'
import type { Feeds } from '../feeds.js'

/** Feeds one socket may follow at a time; a dashboard needs one per topic. */
const MAX_FOLLOWED = 32
/** Bytes on their way to a slow reader before he is left out until they arrived. */
const MAX_BUFFERED_BYTES = 1024 * 1024

/** Serves the feeds to one authenticated socket until it closes. */
export function serveFeedSocket(needs: { feeds: Feeds; log: Log }, socket: WebSocket): void {
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
