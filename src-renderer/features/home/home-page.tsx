import { useState } from 'react'
import { NO_PEERS_YET, type Status } from '#shared/contract/node/node.js'
import type { TrafficHistoryView } from '#shared/contract/node/traffic.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { linkTo, type PageName } from '../../stores/route.js'
import { ended } from '../../stores/traffic-figures.js'
import { useHistory } from '../../stores/use-history.js'
import { strings } from '../../strings.js'
import { Sparkline } from '../../ui/charts/sparkline.js'
import { CopyButton } from '../../ui/controls/copy-button.js'
import { Tabs } from '../../ui/controls/tabs.js'
import { Empty } from '../../ui/feedback/empty.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { JoinCard } from '../../ui/join/join-card.js'
import { Card } from '../../ui/layout/card.js'
import { Page } from '../../ui/layout/page.js'
import { CodeBlock } from '../../ui/text/code-block.js'
import { Words } from '../../ui/text/words.js'
import { FirstRunCard, useFirstRun } from './first-run-card.js'
import styles from './home-page.module.css'
import { modelForExamples, snippetsFor, type Snippet } from './snippets.js'

/** "Is it working, and what do I paste?" */
export function HomePage() {
  const state = useFeed('status')
  const { isShown, hide } = useFirstRun(dataOf(state))
  return (
    <Page name={strings.nav.home} sentence={sentenceFor(dataOf(state), state.phase === 'lost')}>
      <FeedView state={state}>
        {(status) => (
          <>
            {status.gatewayUrl !== null && <BaseUrl url={`${status.gatewayUrl}/v1`} />}
            {status.state.kind === 'alone' && status.mode === 'node' && (
              <p>
                <Words text={NO_PEERS_YET} />
              </p>
            )}
            {isShown ? (
              <FirstRunCard status={status} onHide={hide} />
            ) : (
              status.peers === 0 && status.mode !== 'standalone' && <JoinCard inviteLink />
            )}
            <Facts status={status} />
            {status.gatewayUrl !== null && <UseIt baseUrl={`${status.gatewayUrl}/v1`} />}
          </>
        )}
      </FeedView>
    </Page>
  )
}

function sentenceFor(status: Status | undefined, lost: boolean): string {
  if (lost) return strings.offline.title
  if (status === undefined) return strings.state.loading
  if (status.gatewayUrl === null) return strings.home.noGateway
  if (status.models.available === 0) return strings.home.noModels
  return status.peers === 0 ? strings.home.workingAlone : strings.home.working
}

function BaseUrl({ url }: { url: string }) {
  return (
    <Card>
      <p className={styles['label']}>{strings.home.baseUrl}</p>
      <div className={styles['url']}>
        <code data-testid="base-url">{url}</code>
        <CopyButton text={url} primary />
      </div>
      <p className={styles['hint']}>{strings.home.baseUrlHint}</p>
    </Card>
  )
}

function Facts({ status }: { status: Status }) {
  const { facts } = strings.home
  const { in: inward, out, local, unanswered } = status.requestsToday
  const points: TrafficHistoryView['points'] = dataOf(useHistory('24h'))?.points ?? []
  return (
    <div className={styles['facts']}>
      <Fact
        label={facts.available}
        value={status.models.available}
        page="models"
        hint={`${status.peers} ${facts.peers.toLowerCase()}, ${facts.known(status.knownPeers)}`}
        spark={{ label: facts.sparkUse, values: points.map((point) => ended(point.out)) }}
      />
      <Fact
        label={facts.shared}
        value={status.models.shared}
        page="share"
        hint={facts.given(inward)}
        spark={{ label: facts.sparkGive, values: points.map((point) => ended(point.in)) }}
      />
      <Fact
        label={facts.requests}
        value={inward + out + local + unanswered}
        hint={facts.requestsHint(status.requestsToday)}
        page="traffic"
        spark={{
          label: facts.sparkAll,
          values: points.map((point) => ended(point.out) + ended(point.in) + ended(point.local)),
        }}
      />
    </div>
  )
}

function Fact({
  label,
  value,
  hint,
  page,
  spark,
}: {
  label: string
  value: number
  hint: string
  page: PageName
  spark: { label: string; values: readonly number[] }
}) {
  return (
    <a className={styles['fact']} href={linkTo(page)}>
      <span className={styles['factLabel']}>{label}</span>
      <span className={styles['value']}>{value.toLocaleString('en')}</span>
      <span className={styles['factHint']}>{hint}</span>
      <Sparkline {...spark} />
    </a>
  )
}

function UseIt({ baseUrl }: { baseUrl: string }) {
  const models = dataOf(useFeed('models'))
  if (models === undefined) return null
  const model = modelForExamples(models)
  return (
    <Card
      title={strings.home.tryIt}
      aside={model !== undefined && <a href={linkTo('chat', model)}>{strings.home.chat}</a>}
    >
      {model === undefined ? (
        <Empty icon="models" title={strings.models.sentence(0)}>
          {strings.home.noModelsHint}
        </Empty>
      ) : (
        <SnippetTabs snippets={snippetsFor(baseUrl, model)} />
      )}
    </Card>
  )
}

/** One example at a time. */
function SnippetTabs({ snippets }: { snippets: readonly Snippet[] }) {
  const [name, setName] = useState(snippets[0]?.name ?? '')
  const current = snippets.find((snippet) => snippet.name === name) ?? snippets[0]
  if (current === undefined) return null
  return (
    <Tabs
      label={strings.home.snippets}
      names={snippets.map((snippet) => snippet.name)}
      current={current.name}
      onChange={setName}
    >
      {current.where !== undefined && <p className={styles['where']}>{current.where}</p>}
      <CodeBlock code={current.code} label={current.name} />
    </Tabs>
  )
}
