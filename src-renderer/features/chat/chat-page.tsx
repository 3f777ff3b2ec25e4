import { useEffect } from 'react'
import { useStore } from 'zustand'
import type { ModelView } from '#shared/contract/models/models.js'
import type { ChatSettings } from '../../stores/chats/conversation.js'
import { titleOf } from '../../stores/chats/conversation.js'
import { dataOf } from '../../stores/feed-store.js'
import { useChats, useFeed } from '../../stores/hooks.js'
import { linkTo } from '../../stores/route.js'
import { strings } from '../../strings.js'
import { Notice } from '../../ui/feedback/notice.js'
import styles from './chat-page.module.css'
import { Composer } from './composer.js'
import { ConversationList } from './conversation-list.js'
import { ConversationBar } from './options/conversation-bar.js'
import { Thread } from './thread.js'

const { chat: words } = strings

/** "Let me talk to a model." `item`: the model that a new conversation is wanted with. */
export function ChatPage({ item }: { item: string | undefined }) {
  const chats = useChats()
  const { conversations, openId } = useStore(chats.store)
  const models = dataOf(useFeed('models'))
  const gatewayUrl = dataOf(useFeed('status'))?.gatewayUrl
  const first = models === undefined ? undefined : preferred(models)?.id
  useEffect(() => {
    if (item === undefined) return
    chats.begin(settingsFor(item))
    // A reload or a step back does not begin another one.
    location.replace(linkTo('chat'))
  }, [chats, item])
  useEffect(() => {
    if (item === undefined && openId === null && first !== undefined) chats.begin(settingsFor(first))
  }, [chats, item, openId, first])
  const open = conversations.find(({ id }) => id === openId)
  return (
    <article className={styles['page']}>
      <ConversationList conversations={conversations} openId={openId} model={open?.settings.model ?? first} />
      <section className={styles['talk']} aria-labelledby="chat-title">
        <header className={styles['head']}>
          <h1 id="chat-title" className={styles['title']}>
            {(open === undefined ? undefined : titleOf(open)) ?? words.newTitle}
          </h1>
          {open !== undefined && <ConversationBar conversation={open} models={models ?? []} />}
        </header>
        {gatewayUrl === null && <Notice tone="warn">{words.noGateway}</Notice>}
        {open === undefined ? (
          <p className={styles['none']}>{models === undefined ? strings.state.loading : words.noModels}</p>
        ) : (
          <>
            <Thread key={open.id} conversation={open} />
            <Composer key={`${open.id}-composer`} conversation={open} canSend={gatewayUrl != null} />
          </>
        )}
      </section>
    </article>
  )
}

function settingsFor(model: string): ChatSettings {
  return { model, provider: null, system: '', temperature: null, maxTokens: null }
}

/** A model that answers: of this computer, or of a connected peer. */
function preferred(models: readonly ModelView[]): ModelView | undefined {
  const byName = [...models].sort((a, b) => a.id.localeCompare(b.id, 'en'))
  const isReachable = (model: ModelView): boolean => model.providers.some(({ self, connected }) => self || connected)
  return byName.find(({ local }) => local) ?? byName.find(isReachable) ?? byName[0]
}
