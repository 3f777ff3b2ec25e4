import { useState, type KeyboardEvent, type SubmitEvent } from 'react'
import type { Conversation, QuestionNode } from '../../../stores/chats/conversation.js'
import { useChats } from '../../../stores/hooks.js'
import { strings } from '../../../strings.js'
import { Button } from '../../../ui/controls/button.js'
import { CopyIcon } from '../../../ui/controls/copy-button.js'
import { IconButton } from '../../../ui/controls/icon-button.js'
import styles from './message.module.css'
import { Versions } from './tools.js'

const { chat: words } = strings

/** What a person asked; it can be copied, and asked otherwise on a branch beside it. */
export function QuestionView({ conversation, question }: { conversation: Conversation; question: QuestionNode }) {
  const [isEdited, setEdited] = useState(false)
  if (isEdited) return <EditForm conversation={conversation} question={question} onDone={() => setEdited(false)} />
  return (
    <div className={styles['asked']}>
      {question.images.length > 0 && (
        <div className={styles['images']}>
          {question.images.map(({ url, name }) => (
            <img key={url} src={url} alt={name} />
          ))}
        </div>
      )}
      {question.text !== '' && (
        <p className={styles['question']}>
          <span className="visually-hidden">{words.you}: </span>
          {question.text}
        </p>
      )}
      <div className={styles['tools']}>
        <Versions conversation={conversation} node={question} />
        <CopyIcon text={question.text} label={words.copyQuestion} />
        <IconButton icon="edit" label={words.edit} onClick={() => setEdited(true)} />
      </div>
    </div>
  )
}

function EditForm({
  conversation,
  question,
  onDone,
}: {
  conversation: Conversation
  question: QuestionNode
  onDone: () => void
}) {
  const chats = useChats()
  const [text, setText] = useState(question.text)
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (text.trim() === '') return
    chats.edit(conversation.id, question.id, text.trim())
    onDone()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onDone()
  }
  return (
    <form className={styles['edit']} onSubmit={submit}>
      <textarea
        aria-label={words.edit}
        rows={3}
        value={text}
        ref={(field) => field?.focus()}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className={styles['editButtons']}>
        <Button onClick={onDone}>{words.cancel}</Button>
        <Button submit primary disabled={text.trim() === ''}>
          {words.saveEdit}
        </Button>
      </div>
    </form>
  )
}
