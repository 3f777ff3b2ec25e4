import { lazy, Suspense, useDeferredValue } from 'react'
import type { Answer } from '../../../stores/chats/ask.js'
import { splitThinking, type AnswerNode, type Conversation } from '../../../stores/chats/conversation.js'
import { dataOf } from '../../../stores/feed-store.js'
import { useChats, useFeed } from '../../../stores/hooks.js'
import { formatDecimal, formatMs } from '../../../strings/format.js'
import { strings } from '../../../strings.js'
import { CopyIcon } from '../../../ui/controls/copy-button.js'
import { IconButton } from '../../../ui/controls/icon-button.js'
import { Notice } from '../../../ui/feedback/notice.js'
import { PeerName } from '../../../ui/text/peer-name.js'
import styles from './message.module.css'
import { Versions } from './tools.js'

const { chat: words } = strings

const Markdown = lazy(async () => ({ default: (await import('../markdown/markdown.js')).Markdown }))

/** What came of a question: thoughts, folded; the answer; who gave it and how fast; and the way to have another one. */
export function AnswerView({ conversation, node }: { conversation: Conversation; node: AnswerNode }) {
  const chats = useChats()
  const { answer, state, problem, model } = node
  const { thought, said } = splitThinking(answer?.text ?? '')
  const thoughts = [answer?.reasoning ?? '', thought].filter((part) => part !== '').join('\n\n')
  const isRunning = state === 'running'
  // A page that is busy with other things draws the newest only.
  const shown = useDeferredValue(said)
  return (
    <div className={styles['answered']}>
      <h2 className={styles['model']}>{words.answered(model)}</h2>
      {thoughts !== '' && (
        <details className={styles['thoughts']}>
          <summary>{isRunning && said === '' ? words.thinking : words.thought}</summary>
          <p>{thoughts}</p>
        </details>
      )}
      {said !== '' && (
        <Suspense fallback={<p className={styles['plain']}>{shown}</p>}>
          <Markdown text={shown} />
        </Suspense>
      )}
      {said === '' && thoughts === '' && isRunning && <p className={styles['waiting']}>{words.waiting}</p>}
      {problem !== undefined && <Notice tone="bad">{problem}</Notice>}
      <AnswerFacts answer={answer} isStopped={state === 'stopped'} />
      {!isRunning && (
        <div className={styles['tools']}>
          <Versions conversation={conversation} node={node} />
          {said !== '' && <CopyIcon text={said} label={words.copyAnswer} />}
          <IconButton icon="refresh" label={words.retry} onClick={() => chats.retry(conversation.id, node.parent)} />
        </div>
      )}
    </div>
  )
}

/** How fast an answer came, from whom and over which path. */
function AnswerFacts({ answer, isStopped }: { answer: Answer | undefined; isStopped: boolean }) {
  const self = dataOf(useFeed('status'))?.peerId
  const peers = dataOf(useFeed('peers'))
  if (answer === undefined) return isStopped && <p className={styles['facts']}>{words.stopped}</p>
  const { servedBy, continuedBy, tokens, exactTokens, ttftMs, streamedMs, tries } = answer
  const path = peers?.find((peer) => peer.peerId === servedBy)?.paths[0]
  const isSelf = servedBy !== null && servedBy === self
  return (
    <p className={styles['facts']}>
      {isStopped && <span>{words.stopped}</span>}
      {tokens > 0 && <span>{words.tokens(tokens, exactTokens)}</span>}
      {tokens > 1 && streamedMs > 0 && (
        <span>{words.speed(formatDecimal((tokens - 1) / (streamedMs / 1000), 1), exactTokens)}</span>
      )}
      {ttftMs !== null && <span>{words.ttft(formatMs(ttftMs))}</span>}
      {isSelf && <span>{words.bySelf}</span>}
      {servedBy !== null && !isSelf && (
        <span>
          {words.by} <PeerName peerId={servedBy} /> {path !== undefined && words.over(strings.network.path[path])}
        </span>
      )}
      {continuedBy !== null && (
        <span title={words.continuedHint}>
          {words.continuedBy} <PeerName peerId={continuedBy} />
        </span>
      )}
      {tries !== null && tries > 1 && <span>{words.tries(tries)}</span>}
    </p>
  )
}
