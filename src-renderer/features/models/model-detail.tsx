import { useState } from 'react'
import type { ModelView } from '#shared/contract/models/models.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { linkTo } from '../../stores/route.js'
import { goTo } from '../../stores/use-route.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { Empty } from '../../ui/feedback/empty.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { Icon } from '../../ui/icons/icon.js'
import { Card } from '../../ui/layout/card.js'
import { Page } from '../../ui/layout/page.js'
import styles from './model-detail.module.css'
import type { Preferences } from './preferences.js'
import { ProvidersCard } from './providers-card.js'
import { TestCard } from './test-card.js'

const { detail: words, back, facts } = strings.models

/** One model: who offers it, who can read what is sent to it, and a chat to try it. */
export function ModelDetail({ id }: { id: string }) {
  const state = useFeed('models')
  const model = dataOf(state)?.find((one) => one.id === id)
  const [preferences, setPreferences] = useState<Preferences>({})
  const sentence = (): string => {
    if (dataOf(state) === undefined) return strings.state.loading
    if (model === undefined) return words.gone
    return model.providers.every((provider) => provider.self)
      ? words.sentenceHere(id, facts(model))
      : words.sentence(id, model.providers.length, facts(model))
  }
  return (
    <Page
      name={
        <a className={styles['back']} href={linkTo('models')}>
          <Icon name="back" size={14} />
          {back}
        </a>
      }
      sentence={sentence()}
      actions={
        model !== undefined && (
          <Button primary icon="chat" onClick={() => goTo('chat', id)}>
            {strings.models.chat}
          </Button>
        )
      }
    >
      <FeedView state={state}>
        {() =>
          model === undefined ? (
            <Card>
              <Empty icon="models" title={id}>
                {words.goneHint}
              </Empty>
            </Card>
          ) : (
            <>
              <ProvidersCard model={model} preferences={preferences} onChange={setPreferences} />
              <TestCard model={id} />
              <Card title={words.who}>
                <p className={styles['who']}>{whoCanRead(model)}</p>
              </Card>
            </>
          )
        }
      </FeedView>
    </Page>
  )
}

function whoCanRead(model: ModelView): string {
  if (!model.local) return words.whoPeers
  return model.providers.every((provider) => provider.self) ? words.whoHere : words.whoBoth
}
