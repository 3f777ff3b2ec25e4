import { useState } from 'react'
import type { ModelView } from '#shared/contract/models/models.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { canChat } from '../../stores/model-use.js'
import { linkTo } from '../../stores/route.js'
import { goTo } from '../../stores/use-route.js'
import { formatBytes } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { CopyButton } from '../../ui/controls/copy-button.js'
import { Empty } from '../../ui/feedback/empty.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { Icon } from '../../ui/icons/icon.js'
import { Card } from '../../ui/layout/card.js'
import { Facts } from '../../ui/layout/facts.js'
import { Page } from '../../ui/layout/page.js'
import { DemoBadge } from '../../ui/text/demo-badge.js'
import { Visible } from '../../ui/text/visible.js'
import { EmbedCard } from './embed-card.js'
import { KindBadges } from './kind-badges.js'
import styles from './model-detail.module.css'
import type { Preferences } from './preferences.js'
import { ProvidersCard } from './providers-card.js'
import { referenceDigest } from './same-file.js'
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
          <>
            <Button icon="command" onClick={() => goTo('home', id)}>
              {strings.models.connect}
            </Button>
            {canChat(model) && (
              <Button primary icon="chat" onClick={() => goTo('chat', id)}>
                {strings.models.chat}
              </Button>
            )}
          </>
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
              <AboutModel model={model} />
              {model.kind === 'embedding' && <EmbedCard model={id} />}
              {canChat(model) && <TestCard model={id} />}
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

/** What its server tells of it, and the id that apps use. */
function AboutModel({ model }: { model: ModelView }) {
  const { about } = strings.models
  const { parameters, quantization, sizeBytes, contextLength } = model
  const known = [
    { name: about.parameters, value: parameters },
    { name: about.quantization, value: quantization },
    { name: about.size, value: sizeBytes === undefined ? undefined : formatBytes(sizeBytes) },
    { name: about.file, value: fileOf(model) },
    { name: about.context, value: contextLength === undefined ? undefined : strings.models.context(contextLength) },
  ]
  return (
    <Card title={about.title}>
      <Facts
        facts={[
          {
            name: about.id,
            value: (
              <span className={styles['id']}>
                <code>
                  <Visible text={model.id} />
                </code>
                <DemoBadge model={model.id} />
                <CopyButton text={model.id} />
              </span>
            ),
          },
          { name: about.kind, value: <KindBadges model={model} /> },
          ...known.filter(({ value }) => value !== undefined && value !== ''),
        ]}
      />
    </Card>
  )
}

/** Which file it is, and how many of the providers that say so have the same. */
function fileOf(model: ModelView): string | undefined {
  const reference = referenceDigest(model)
  if (reference === undefined) return undefined
  const said = model.providers.filter(({ digest }) => digest !== undefined)
  const same = said.filter(({ digest }) => digest === reference)
  return words.file.at(reference.slice(0, 12), same.length, said.length)
}

function whoCanRead(model: ModelView): string {
  if (!model.local) return words.whoPeers
  return model.providers.every((provider) => provider.self) ? words.whoHere : words.whoBoth
}
