import { useCallback, useEffect, useRef, useState } from 'react'
import { useClient } from '../../../stores/hooks.js'
import { sentenceOf } from '../../../ui/feedback/use-action.js'
import { ask, type Answer, type ChatMessage, type Question } from './ask.js'

/** A question and what came of it. */
export interface Turn {
  question: string
  answer: Answer | undefined
  state: 'running' | 'done' | 'stopped' | 'failed'
  /** Why it failed. */
  problem: string | undefined
}

/** Turns kept and sent along; older ones are forgotten. */
const MAX_TURNS = 50

/** A conversation with one model. It ends with the component. */
export function useChat(target: Omit<Question, 'messages' | 'key'> | undefined) {
  const client = useClient()
  const [turns, setTurns] = useState<readonly Turn[]>([])
  const running = useRef<AbortController>(undefined)
  useEffect(() => () => running.current?.abort(), [])

  const change = useCallback((fields: Partial<Turn>) => {
    setTurns((all) => all.map((turn, index) => (index === all.length - 1 ? { ...turn, ...fields } : turn)))
  }, [])

  const send = (question: string): void => {
    if (target === undefined || running.current !== undefined) return
    const controller = new AbortController()
    running.current = controller
    const messages: ChatMessage[] = [...turns.flatMap(messagesOf), { role: 'user', content: question }]
    const turn: Turn = { question, answer: undefined, state: 'running', problem: undefined }
    setTurns((all) => [...all, turn].slice(-MAX_TURNS))
    const painter = oncePerFrame((answer: Answer) => change({ answer }))
    client
      .call('keys.own', {})
      .then(({ key }) => ask({ ...target, key, messages }, (answer) => painter.show(answer), controller.signal))
      .then(
        () => change({ ...painter.last(), state: 'done' }),
        (error: unknown) =>
          change(
            controller.signal.aborted
              ? { ...painter.last(), state: 'stopped' }
              : { ...painter.last(), state: 'failed', problem: sentenceOf(error) },
          ),
      )
      .finally(() => (running.current = undefined))
  }
  return {
    turns,
    send,
    stop: () => running.current?.abort(),
    clear: () => {
      running.current?.abort()
      setTurns([])
    },
  }
}

/** A question without an answer is left out: models expect the two by turns. */
function messagesOf({ question, answer }: Turn): ChatMessage[] {
  if (answer === undefined || answer.text === '') return []
  return [
    { role: 'user', content: question },
    { role: 'assistant', content: answer.text },
  ]
}

/** Shows only the newest of what comes within one frame. */
function oncePerFrame(paint: (answer: Answer) => void) {
  let newest: Answer | undefined
  let frame = 0
  return {
    show(answer: Answer): void {
      newest = answer
      frame ||= requestAnimationFrame(() => {
        frame = 0
        if (newest !== undefined) paint(newest)
      })
    },
    /** What is to be shown at the end; no frame comes after it. */
    last(): { answer?: Answer } {
      cancelAnimationFrame(frame)
      return newest === undefined ? {} : { answer: newest }
    },
  }
}
