import { useState, type SubmitEvent } from 'react'
import { contains, titleOf, type Conversation } from '../../stores/chats/conversation.js'
import { useChats } from '../../stores/hooks.js'
import { COMPARE_ITEM, linkTo } from '../../stores/route.js'
import { formatClock } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { IconButton } from '../../ui/controls/icon-button.js'
import { toast } from '../../ui/feedback/toasts.js'
import { SearchBox } from '../../ui/inputs/search-box.js'
import styles from './conversation-list.module.css'
import { KeepPanel } from './keep-panel.js'

const { chat: words } = strings

/** The conversations of this page: begun, searched, named and deleted. */
export function ConversationList({
  conversations,
  openId,
  model,
}: {
  conversations: readonly Conversation[]
  openId: string | null
  /** Whom a new one asks; undefined while no model is known. */
  model: string | undefined
}) {
  const chats = useChats()
  const [query, setQuery] = useState('')
  const begin = (): void => {
    if (model === undefined) return
    chats.begin({ model, provider: null, system: '', temperature: null, maxTokens: null })
  }
  const said = conversations.filter(({ leaf }) => leaf !== null)
  const found = query.trim() === '' ? said : said.filter((one) => contains(one, query))
  return (
    <nav className={styles['list']} aria-label={words.list}>
      <Button icon="plus" onClick={begin} disabled={model === undefined}>
        {words.begin}
      </Button>
      <a className={styles['compare']} href={linkTo('chat', COMPARE_ITEM)}>
        {words.compare.open}
      </a>
      {said.length > 1 && <SearchBox label={words.search} value={query} onChange={setQuery} />}
      {said.length > 0 && found.length === 0 && <p className={styles['hint']}>{words.noMatch}</p>}
      <ul className={styles['items']}>
        {found.map((one) => (
          <Item key={one.id} conversation={one} isOpen={one.id === openId} />
        ))}
      </ul>
      <KeepPanel />
    </nav>
  )
}

function Item({ conversation, isOpen }: { conversation: Conversation; isOpen: boolean }) {
  const chats = useChats()
  const [isNamed, setNamed] = useState(false)
  const title = titleOf(conversation) ?? words.newTitle
  if (isNamed) return <Rename conversation={conversation} title={title} onDone={() => setNamed(false)} />
  const remove = (): void => {
    chats.remove(conversation.id)
    toast('good', words.removed(title))
  }
  return (
    <li className={isOpen ? styles['open'] : styles['item']}>
      <button
        type="button"
        className={styles['name']}
        aria-current={isOpen ? 'true' : undefined}
        title={`${title}\n${conversation.settings.model} · ${formatClock(conversation.changedAtMs)}`}
        onClick={() => chats.open(conversation.id)}
      >
        {title}
      </button>
      <span className={styles['tools']}>
        <IconButton icon="edit" label={words.rename(title)} onClick={() => setNamed(true)} />
        <IconButton icon="trash" label={words.remove(title)} onClick={remove} />
      </span>
    </li>
  )
}

function Rename({ conversation, title, onDone }: { conversation: Conversation; title: string; onDone: () => void }) {
  const chats = useChats()
  const [text, setText] = useState(title)
  const save = (): void => {
    chats.rename(conversation.id, text)
    onDone()
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    save()
  }
  return (
    <li>
      <form onSubmit={submit} onBlur={save}>
        <input
          className={styles['rename']}
          aria-label={words.renameLabel}
          maxLength={200}
          value={text}
          ref={(field) => field?.focus()}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => event.key === 'Escape' && onDone()}
        />
      </form>
    </li>
  )
}
