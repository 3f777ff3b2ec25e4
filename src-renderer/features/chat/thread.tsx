import { useLayoutEffect, useRef } from 'react'
import { pathOf, type Conversation } from '../../stores/chats/conversation.js'
import { strings } from '../../strings.js'
import { AnswerView } from './message/answer-view.js'
import { QuestionView } from './message/question-view.js'
import styles from './thread.module.css'

const { chat: words } = strings
/** Whoever is nearer to the end than this follows it as it grows, in pixels. */
const NEAR_END = 32

/** The branch of a conversation that is shown. It follows the answer, except for a reader who has scrolled up. */
export function Thread({
  conversation,
  emptyHint = words.emptyHint,
}: {
  conversation: Conversation
  /** What becomes of what is said, while nothing is; empty where that stands elsewhere. */
  emptyHint?: string
}) {
  const box = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  const path = pathOf(conversation)
  const questions = path.filter(({ kind }) => kind === 'question').length
  // Who asks wants to see what comes.
  useLayoutEffect(() => void (isAtEnd.current = true), [questions])
  useLayoutEffect(() => {
    if (isAtEnd.current) box.current?.scrollTo({ top: box.current.scrollHeight, behavior: 'instant' })
  }, [conversation.nodes, conversation.leaf])
  const remember = (): void => {
    const element = box.current
    if (element === null) return
    isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END
  }
  if (path.length === 0) {
    return (
      <div className={styles['empty']}>
        <p className={styles['emptyTitle']}>{words.empty}</p>
        {emptyHint !== '' && <p>{emptyHint}</p>}
      </div>
    )
  }
  return (
    <div ref={box} className={styles['thread']} onScroll={remember} role="log" aria-label={words.log} tabIndex={0}>
      <div className={styles['column']}>
        {path.map((node) =>
          node.kind === 'question' ? (
            <QuestionView key={node.id} conversation={conversation} question={node} />
          ) : (
            <AnswerView key={node.id} conversation={conversation} node={node} />
          ),
        )}
      </div>
    </div>
  )
}
