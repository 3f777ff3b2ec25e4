/** The IPC channels between the preload script and the main process; nothing else is listened to. */
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
