import { useEffect, useRef, useState, type KeyboardEvent, type SubmitEvent } from 'react'
import { dataOf } from '../../../stores/feed-store.js'
import { useFeed } from '../../../stores/hooks.js'
import { formatMs } from '../../../strings/format.js'
import { strings } from '../../../strings.js'
import { Button } from '../../../ui/controls/button.js'
import { Notice } from '../../../ui/feedback/notice.js'
import { Card } from '../../../ui/layout/card.js'
import { PeerName } from '../../../ui/text/peer-name.js'
import type { Answer } from './ask.js'
import styles from './chat.module.css'
import { useChat, type Turn } from './use-chat.js'

const { chat: words } = strings.models

/** A chat with one model, over the gateway as any app would. */
export function Chat({ model, headers }: { model: string; headers: Readonly<Record<string, string>> }) {
  const gatewayUrl = dataOf(useFeed('status'))?.gatewayUrl
  const target = gatewayUrl == null ? undefined : { baseUrl: `${gatewayUrl}/v1`, model, headers }
  const { turns, send, stop, clear } = useChat(target)
  const isRunning = turns.at(-1)?.state === 'running'
  return (
    <Card
      title={words.title}
      flush
      aside={
        turns.length > 0 && (
          <Button icon="refresh" onClick={clear}>
            {words.clear}
          </Button>
        )
      }
    >
      {gatewayUrl === null && <Notice tone="warn">{words.noGateway}</Notice>}
      <Turns turns={turns} />
      <Composer isRunning={isRunning} canSend={target !== undefined} onSend={send} onStop={stop} />
    </Card>
  )
}

function Turns({ turns }: { turns: readonly Turn[] }) {
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    const element = box.current
    if (element !== null && atEnd.current) element.scrollTop = element.scrollHeight
  }, [turns])
  const remember = (): void => {
    const element = box.current
    if (element !== null) atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 24
  }
  if (turns.length === 0) return <p className={styles['empty']}>{words.empty}</p>
  return (
    <div ref={box} className={styles['turns']} onScroll={remember} role="log" aria-label={words.title} tabIndex={0}>
      {turns.map((turn, index) => (
        <TurnView key={index} turn={turn} />
      ))}
    </div>
  )
}

function TurnView({ turn: { question, answer, state, problem } }: { turn: Turn }) {
  const text = answer?.text ?? ''
  return (
    <div className={styles['turn']}>
      <p className={styles['question']}>{question}</p>
      {text !== '' && <p className={styles['answer']}>{text}</p>}
      {text === '' && state === 'running' && <p className={styles['waiting']}>{words.waiting}</p>}
      {problem !== undefined && <Notice tone="bad">{problem}</Notice>}
      {answer !== undefined && <AnswerFacts answer={answer} isStopped={state === 'stopped'} />}
    </div>
  )
}

function Composer({
  isRunning,
  canSend,
  onSend,
  onStop,
}: {
  isRunning: boolean
  /** Whether it is known where to send to; until then what was typed stays. */
  canSend: boolean
  onSend: (text: string) => void
  onStop: () => void
}) {
  const [text, setText] = useState('')
  const send = (): void => {
    if (text.trim() === '' || isRunning || !canSend) return
    onSend(text.trim())
    setText('')
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    send()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }
  return (
    <form className={styles['composer']} onSubmit={submit}>
      <textarea
        aria-label={words.label}
        placeholder={words.placeholder}
        rows={2}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {isRunning ? (
        <Button icon="stop" onClick={onStop}>
          {words.stop}
        </Button>
      ) : (
        <Button submit primary icon="send" disabled={text.trim() === '' || !canSend}>
          {words.send}
        </Button>
      )}
    </form>
  )
}

/** How fast an answer came, from whom and over which path. */
function AnswerFacts({ answer, isStopped }: { answer: Answer; isStopped: boolean }) {
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
