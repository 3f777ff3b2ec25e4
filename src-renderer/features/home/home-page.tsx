import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import type { Status } from '#shared/contract/node/node.js'
import type { TrafficHistoryView } from '#shared/contract/node/traffic.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { canChat } from '../../stores/model-use.js'
import { linkTo, type PageName } from '../../stores/route.js'
import { ended } from '../../stores/traffic-figures.js'
import { useHistory } from '../../stores/use-history.js'
import { formatNumber } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Sparkline } from '../../ui/charts/sparkline.js'
import { CopyButton } from '../../ui/controls/copy-button.js'
import { Empty } from '../../ui/feedback/empty.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { Select } from '../../ui/inputs/select.js'
import { JoinCard } from '../../ui/join/join-card.js'
import { Card } from '../../ui/layout/card.js'
import { Page } from '../../ui/layout/page.js'
import { FirstRunCard, useFirstRun } from './first-run-card.js'
import { GpuCard } from './gpu-card.js'
import styles from './home-page.module.css'
import { modelForExamples } from './model-for-examples.js'
import { UsableModels } from './usable-models.js'

/** The texts for each app are more than all the rest of the page. */
const ConnectApp = lazy(() => import('./connect-app.js').then((module) => ({ default: module.ConnectApp })))

/** "Is it working, and what do I paste?" `item`: the model the examples are wanted for. */
export function HomePage({ item }: { item: string | undefined }) {
  const state = useFeed('status')
  const { isShown, hide } = useFirstRun(dataOf(state))
  return (
    <Page name={strings.nav.home} sentence={sentenceFor(dataOf(state), state.phase === 'lost')}>
      <FeedView state={state}>
        {(status) => (
          <>
            {status.gatewayUrl !== null && <BaseUrl url={`${status.gatewayUrl}/v1`} />}
            {isShown ? (
              <FirstRunCard status={status} onHide={hide} />
            ) : (
              status.peers === 0 && status.mode !== 'standalone' && <JoinCard inviteLink />
            )}
            <Facts status={status} />
            <UsableModels />
            <GpuCard />
            {status.gatewayUrl !== null && <UseIt baseUrl={`${status.gatewayUrl}/v1`} wanted={item} />}
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
        hint={facts.peersHint(status.peers, status.knownPeers)}
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
      <span className={styles['value']}>{formatNumber(value)}</span>
      <span className={styles['factHint']}>{hint}</span>
      <Sparkline {...spark} />
    </a>
  )
}

function UseIt({ baseUrl, wanted }: { baseUrl: string; wanted: string | undefined }) {
  const models = dataOf(useFeed('models'))
  const place = useRef<HTMLDivElement>(null)
  const [chosen, setChosen] = useState<string>()
  const hasModels = models !== undefined
  useEffect(() => {
    if (wanted === undefined || !hasModels) return
    setChosen(wanted)
    place.current?.scrollIntoView({ block: 'start' })
    place.current?.querySelector('select')?.focus({ preventScroll: true })
  }, [wanted, hasModels])
  if (models === undefined) return null
  const usable = models.filter(canChat)
  const model = usable.find(({ id }) => id === chosen)?.id ?? modelForExamples(usable)
  return (
    <div ref={place}>
      <Card
        title={strings.home.tryIt}
        aside={
          model !== undefined && (
            <span className={styles['choose']}>
              <Select
                label={strings.home.modelForExamples}
                options={usable.map(({ id }) => ({ value: id, label: id }))}
                value={model}
                onChange={setChosen}
              />
              <a href={linkTo('chat', model)}>{strings.home.chat}</a>
            </span>
          )
        }
      >
        {model === undefined ? (
          <Empty icon="models" title={strings.models.sentence(0)}>
            {strings.home.noModelsHint}
          </Empty>
        ) : (
          <Suspense fallback={<div className={styles['apps']} />}>
            <ConnectApp baseUrl={baseUrl} model={model} />
          </Suspense>
        )}
      </Card>
    </div>
  )
}
