import {
  FEED_PROTOCOL,
  TOKEN_PROTOCOL_PREFIX,
  type FeedNews,
  type FollowedMessage,
  type FollowerMessage,
} from '#shared/contract/wire.js'

/** Who follows one feed through the socket. */
interface SocketFollower {
  onNews(news: FeedNews): void
  /** The socket is gone; the feed begins anew when it is back. */
  onLost(): void
}

/** One WebSocket for all feeds of a page: open while somebody follows, opened again whenever it closed. */
export interface FeedSocket {
  follow(feed: string, follower: SocketFollower): () => void
  close(): void
}

/** Between attempts to connect, in ms: quick at first, then easy on a node that is down. */
const RETRY_MS = [250, 500, 1000, 2000, 4000]

/** A {@link FeedSocket} to the node at `url` (`http://…`). */
export function createFeedSocket(options: { url: string; token: string }): FeedSocket {
  const followers = new Map<number, { feed: string; follower: SocketFollower }>()
  let socket: WebSocket | undefined
  let retry: ReturnType<typeof setTimeout> | undefined
  let attempts = 0
  let lastId = 0
  let closed = false

  function send(message: FollowerMessage): void {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
  }

  function open(): void {
    retry = undefined
    if (closed || socket !== undefined) return
    const current = new WebSocket(`${options.url.replace(/^http/, 'ws')}/api/feed`, [
      FEED_PROTOCOL,
      TOKEN_PROTOCOL_PREFIX + options.token,
    ])
    socket = current
    current.addEventListener('open', () => {
      attempts = 0
      for (const [id, { feed }] of followers) send({ type: 'follow', id, feed })
    })
    current.addEventListener('message', (event) => {
      const { id, ...news } = JSON.parse(String(event.data)) as FollowedMessage
      followers.get(id)?.follower.onNews(news)
    })
    current.addEventListener('close', () => {
      if (socket === current) lost()
    })
  }

  function lost(): void {
    socket = undefined
    if (closed || followers.size === 0) return
    const delayMs = RETRY_MS[Math.min(attempts, RETRY_MS.length - 1)]
    attempts += 1
    retry = setTimeout(open, delayMs)
    for (const { follower } of followers.values()) follower.onLost()
  }

  function leave(id: number): void {
    if (!followers.delete(id)) return
    send({ type: 'unfollow', id })
    if (followers.size === 0) hangUp()
  }

  function hangUp(): void {
    clearTimeout(retry)
    retry = undefined
    attempts = 0
    const current = socket
    socket = undefined
    current?.close()
  }

  return {
    follow(feed, follower) {
      lastId += 1
      const id = lastId
      followers.set(id, { feed, follower })
      if (socket?.readyState === WebSocket.OPEN) send({ type: 'follow', id, feed })
      else if (retry === undefined) open()
      return () => leave(id)
    },
    close() {
      closed = true
      followers.clear()
      hangUp()
    },
  }
}
