import type { CallReply, FeedNews } from './wire.js'

/** The two functions that the preload script gives to the page as `window.ocf`; nothing else crosses. */
export interface OcfBridge {
  call(name: string, input: unknown): Promise<CallReply>
  follow(feed: string, listener: (news: FeedNews) => void): () => void
}
