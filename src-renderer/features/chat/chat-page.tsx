import { useEffect } from 'react'
import { useStore } from 'zustand'
import { isRunning, titleOf } from '../../stores/chats/conversation.js'
import { dataOf } from '../../stores/feed-store.js'
import { useChats, useFeed, useKeeper } from '../../stores/hooks.js'
import { canChat } from '../../stores/model-use.js'
import { COMPARE_ITEM, linkTo } from '../../stores/route.js'
import { strings } from '../../strings.js'
import { Notice } from '../../ui/feedback/notice.js'
import styles from './chat-page.module.css'
import { ComparePage } from './compare/compare-page.js'
import { Composer } from './composer.js'
import { ConversationList } from './conversation-list.js'
import { NoModels } from './no-models.js'
import { ConversationBar } from './options/conversation-bar.js'
import { Thread } from './thread.js'
import { canSeeOf, preferred, settingsFor } from './whom.js'

const { chat: words } = strings

/** "Let me talk to a model." `item`: the model that a new conversation is wanted with, or the comparison of two. */
export function ChatPage({ item }: { item: string | undefined }) {
  return item === COMPARE_ITEM ? <ComparePage /> : <Talk item={item} />
}

function Talk({ item }: { item: string | undefined }) {
  const chats = useChats()
  const keeper = useKeeper()
  const { phase } = useStore(keeper.store)
  const { conversations, openId } = useStore(chats.store)
  const models = dataOf(useFeed('models'))?.filter(canChat)
  const gatewayUrl = dataOf(useFeed('status'))?.gatewayUrl
  const first = models === undefined ? undefined : preferred(models)[0]?.id
  // Once more when a node that was away is back.
  useEffect(() => void keeper.load(), [keeper, gatewayUrl])
  useEffect(() => {
    if (item === undefined) return
    chats.begin(settingsFor(item))
    // A reload or a step back does not begin another one.
    location.replace(linkTo('chat'))
  }, [chats, item])
  useEffect(() => {
    // Kept ones come first: only where there are none does a new one begin.
    if (phase === 'loading' || item !== undefined || openId !== null || first === undefined) return
    chats.begin(settingsFor(first))
  }, [chats, phase, item, openId, first])
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
          <NoModels isLoading={models === undefined} />
        ) : (
          <>
            <Thread key={open.id} conversation={open} {...(phase === 'on' && { emptyHint: words.keep.emptyHint })} />
            <Composer
              key={`${open.id}-composer`}
              isNew={open.leaf === null}
              isRunning={isRunning(open)}
              onSend={(text, images) => chats.send(open.id, text, images)}
              onStop={() => chats.stop(open.id)}
              canSend={gatewayUrl != null}
              takesImages={canSeeOf(models, open.settings.model)}
            />
          </>
        )}
      </section>
    </article>
  )
}
