import { dataOf } from '../../../stores/feed-store.js'
import { useFeed } from '../../../stores/hooks.js'
import { strings } from '../../../strings.js'
import { formatMs } from '../../../strings/format.js'
import { PeerName } from '../../../ui/text/peer-name.js'
import type { Answer } from './ask.js'
import styles from './chat.module.css'

const { chat: words } = strings.models

/** How fast an answer came, from whom and over which path. */
export function AnswerFacts({ answer, isStopped }: { answer: Answer; isStopped: boolean }) {
  const self = dataOf(useFeed('status'))?.peerId
  const peers = dataOf(useFeed('peers'))
  const { servedBy, tokens, exactTokens, ttftMs, streamedMs, tries } = answer
  const path = peers?.find((peer) => peer.peerId === servedBy)?.paths[0]
  const isSelf = servedBy !== null && servedBy === self
  return (
    <p className={styles['facts']}>
      {isStopped && <span>{words.stopped}</span>}
      {tokens > 0 && <span>{words.tokens(tokens, exactTokens)}</span>}
      {tokens > 1 && streamedMs > 0 && (
        <span>{words.speed(((tokens - 1) / (streamedMs / 1000)).toFixed(1), exactTokens)}</span>
      )}
      {ttftMs !== null && <span>{words.ttft(formatMs(ttftMs))}</span>}
      {isSelf && <span>{words.bySelf}</span>}
      {servedBy !== null && !isSelf && (
        <span>
          {words.by} <PeerName peerId={servedBy} /> {path !== undefined && words.over(strings.network.path[path])}
        </span>
      )}
      {tries !== null && tries > 1 && <span>{words.tries(tries)}</span>}
    </p>
  )
}
