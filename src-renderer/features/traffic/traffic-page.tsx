import { useState } from 'react'
import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { goTo } from '../../stores/use-route.js'
import { strings } from '../../strings/all.js'
import { Button } from '../../ui/controls/button.js'
import { Empty } from '../../ui/feedback/empty.js'
import { FeedView, WhenReady } from '../../ui/feedback/feed-view.js'
import { SearchBox } from '../../ui/inputs/search-box.js'
import { Segmented } from '../../ui/inputs/segmented.js'
import { Card } from '../../ui/layout/card.js'
import { Page } from '../../ui/layout/page.js'
import { DataTable } from '../../ui/table/data-table.js'
import { AppsCard } from './apps-card.js'
import { COLUMNS_WITHOUT_KEYS, TRAFFIC_COLUMNS } from './columns.js'
import { filterTraffic, SHOW_ALL, type TrafficFilter } from './filter.js'
import { HistoryCards } from './history-cards.js'
import { RequestDetail } from './request-detail.js'
import styles from './traffic-page.module.css'

const { traffic: words } = strings

/** "What went through me?" */
export function TrafficPage({ item }: { item: string | undefined }) {
  const state = useFeed('traffic')
  const status = useFeed('status')
  const today = dataOf(status)?.requestsToday
  const [frozen, setFrozen] = useState<readonly TrafficEntry[]>()
  const live = dataOf(state)

  const fresh = frozen === undefined || live === undefined ? 0 : countNew(frozen, live)
  const toggle = (): void => setFrozen(frozen === undefined ? live : undefined)
  return (
    <Page
      name={strings.nav.traffic}
      sentence={
        today === undefined ? strings.state.loading : words.sentence(today.in, today.out, today.local, today.unanswered)
      }
      actions={
        live !== undefined &&
        live.length > 0 && (
          <Button icon={frozen === undefined ? 'freeze' : 'play'} onClick={toggle} pressed={frozen !== undefined}>
            {frozen === undefined ? words.pause : words.resume(fresh)}
          </Button>
        )
      }
    >
      <WhenReady states={[state, status]}>
        <FeedView state={state}>{(entries) => <Requests entries={frozen ?? entries} />}</FeedView>
        <HistoryCards />
        {live !== undefined && <AppsCard entries={live} />}
      </WhenReady>
      {item !== undefined && live !== undefined && <RequestDetail entry={live.find((entry) => entry.id === item)} />}
    </Page>
  )
}

function countNew(frozen: readonly TrafficEntry[], live: readonly TrafficEntry[]): number {
  const last = frozen.at(-1)?.id
  return live.length - 1 - live.findLastIndex((entry) => entry.id === last)
}

const rowKey = (entry: TrafficEntry): string => entry.id

function Requests({ entries }: { entries: readonly TrafficEntry[] }) {
  const [filter, setFilter] = useState(SHOW_ALL)
  if (entries.length === 0) {
    return (
      <Card>
        <Empty icon="traffic" title={words.empty}>
          {words.emptyHint}
        </Empty>
      </Card>
    )
  }
  const rows = filterTraffic(entries, filter)
  return (
    <Card title={words.shown(rows.length, entries.length)} flush>
      <Filters filter={filter} onChange={setFilter} />
      {rows.length === 0 && <Empty icon="search" title={words.noMatch} />}
      {rows.length > 0 && (
        <DataTable
          label={strings.nav.traffic}
          columns={entries.some(({ key }) => key !== null) ? TRAFFIC_COLUMNS : COLUMNS_WITHOUT_KEYS}
          rows={rows}
          rowKey={rowKey}
          isBoxed
          onOpen={(entry) => goTo('traffic', entry.id)}
        />
      )}
    </Card>
  )
}

function Filters({ filter, onChange }: { filter: TrafficFilter; onChange: (filter: TrafficFilter) => void }) {
  const { direction, outcome } = words.filter
  return (
    <div className={styles['filters']}>
      <Segmented
        label={direction.label}
        options={(['all', 'out', 'in', 'local'] as const).map((value) => ({ value, label: direction[value] }))}
        value={filter.direction}
        onChange={(value) => onChange({ ...filter, direction: value })}
      />
      <Segmented
        label={outcome.label}
        options={(['all', 'failed', 'unanswered'] as const).map((value) => ({ value, label: outcome[value] }))}
        value={filter.outcome}
        onChange={(value) => onChange({ ...filter, outcome: value })}
      />
      <SearchBox label={words.search} value={filter.text} onChange={(text) => onChange({ ...filter, text })} />
    </div>
  )
}
