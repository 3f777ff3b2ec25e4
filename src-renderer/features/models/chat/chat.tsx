import { useEffect, useRef, useState, type SubmitEvent, type KeyboardEvent } from 'react'
import { dataOf } from '../../../stores/feed-store.js'
import { useFeed } from '../../../stores/hooks.js'
import { strings } from '../../../strings.js'
import { Button } from '../../../ui/controls/button.js'
import { Card } from '../../../ui/layout/card.js'
import { Notice } from '../../../ui/feedback/notice.js'
import { AnswerFacts } from './answer-facts.js'
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
