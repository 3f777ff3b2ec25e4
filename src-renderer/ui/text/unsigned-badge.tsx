import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Badge } from './badge.js'

const { unsigned: words } = strings.network

/** Says that a peer is a provider of the unsigned network. */
export function UnsignedBadge() {
  return (
    <Badge tone="warn" title={words.hint}>
      {words.name}
    </Badge>
  )
}

/** The same beside a peer of which only the id is known; nothing for every other peer. */
export function UnsignedMark({ peerId }: { peerId: string }) {
  const peer = dataOf(useFeed('peers'))?.find((one) => one.peerId === peerId)
  return peer?.unsigned === true ? <UnsignedBadge /> : null
}
