/** The IPC channels between the preload script and the main process; the main process listens to no others. */
export const CHANNELS = {
  /** invoke: name, input → CallReply */
  call: 'ocf:call',
  /** send: follow id, feed */
  follow: 'ocf:follow',
  /** send: follow id */
  unfollow: 'ocf:unfollow',
  /** to the page: FollowedMessage */
  feed: 'ocf:feed',
} as const
