import { useEffect } from 'react'
import { useStore } from 'zustand'
import type { ModelView } from '#shared/contract/models/models.js'
import { isRunning } from '../../../stores/chats/conversation.js'
import type { Chats } from '../../../stores/chats/index.js'
import { dataOf } from '../../../stores/feed-store.js'
import { StoresContext, useCompared, useFeed } from '../../../stores/hooks.js'
import { canChat } from '../../../stores/model-use.js'
import { linkTo } from '../../../stores/route.js'
import { strings } from '../../../strings.js'
import { Notice } from '../../../ui/feedback/notice.js'
import { Icon } from '../../../ui/icons/icon.js'
import { Composer } from '../composer.js'
import { NoModels } from '../no-models.js'
import { ConversationBar } from '../options/conversation-bar.js'
import { Thread } from '../thread.js'
import { canSeeOf, preferred, settingsFor } from '../whom.js'
import styles from './compare-page.module.css'

const { compare: words, ...chatWords } = strings.chat

/** Two models, or one model at two providers, asked the same and read beside each other. */
export function ComparePage() {
  const sides = useCompared()
  const models = dataOf(useFeed('models'))?.filter(canChat)
  const gatewayUrl = dataOf(useFeed('status'))?.gatewayUrl
  const open = [useOpen(sides[0]?.chats), useOpen(sides[1]?.chats)]
  const ranked = models === undefined ? undefined : preferred(models).map(({ id }) => id)
  const [first, second = first] = ranked ?? []
  useEffect(() => {
    for (const [index, { chats }] of sides.entries()) {
      const model = index === 0 ? first : second
      if (chats.store.getState().openId === null && model !== undefined) chats.begin(settingsFor(model))
    }
  }, [sides, first, second])
  const asked = sides.flatMap(({ chats }, index) => {
    const conversation = open[index]
    return conversation === undefined ? [] : [{ chats, conversation }]
  })
  return (
    <article className={styles['page']}>
      <header className={styles['head']}>
        <a className={styles['back']} href={linkTo('chat')}>
          <Icon name="back" size={14} />
          {words.back}
        </a>
        <h1 className={styles['title']}>{words.title}</h1>
        <p className={styles['hint']}>{words.hint}</p>
      </header>
      {gatewayUrl === null && <Notice tone="warn">{chatWords.noGateway}</Notice>}
      {asked.length < sides.length ? (
        <NoModels isLoading={models === undefined} />
      ) : (
        <>
          <div className={styles['sides']}>
            {sides.map(({ stores }, index) => (
              <StoresContext key={index} value={stores}>
                <Side name={words.side[index] ?? ''} conversation={open[index]} models={models ?? []} />
              </StoresContext>
            ))}
          </div>
          <Composer
            isNew={asked.every(({ conversation }) => conversation.leaf === null)}
            isRunning={asked.some(({ conversation }) => isRunning(conversation))}
            onSend={(text, images) => {
              for (const { chats, conversation } of asked) chats.send(conversation.id, text, images)
            }}
            onStop={() => {
              for (const { chats, conversation } of asked) chats.stop(conversation.id)
            }}
            canSend={gatewayUrl != null}
            takesImages={asked.every(({ conversation }) => canSeeOf(models, conversation.settings.model))}
          />
        </>
      )}
    </article>
  )
}

function useOpen(chats: Chats | undefined) {
  if (chats === undefined) throw new Error('A comparison has two sides.')
  const { conversations, openId } = useStore(chats.store)
  return conversations.find(({ id }) => id === openId)
}

function Side({
  name,
  conversation,
  models,
}: {
  name: string
  conversation: ReturnType<typeof useOpen>
  models: readonly ModelView[]
}) {
  if (conversation === undefined) return null
  return (
    <section className={styles['side']} aria-label={name}>
      <header className={styles['bar']}>
        <ConversationBar conversation={conversation} models={models} />
      </header>
      <Thread conversation={conversation} emptyHint="" />
    </section>
  )
}
