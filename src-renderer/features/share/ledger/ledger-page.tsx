import { useEffect, useMemo, useState } from 'react'
import { useStore } from 'zustand'
import type { LedgerRow } from '#shared/contract/sharing/ledger.js'
import { createCallStore } from '../../../stores/call-store.js'
import { dataOf } from '../../../stores/feed-store.js'
import { useClient, useFeed } from '../../../stores/hooks.js'
import { linkTo } from '../../../stores/route.js'
import { strings } from '../../../strings/all.js'
import { formatCompact, formatNumber, shortPeerId } from '../../../strings/format.js'
import { Chart } from '../../../ui/charts/chart.js'
import { Button } from '../../../ui/controls/button.js'
import { saveText } from '../../../ui/controls/save-text.js'
import { Empty } from '../../../ui/feedback/empty.js'
import { FeedView } from '../../../ui/feedback/feed-view.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Icon } from '../../../ui/icons/icon.js'
import { Segmented } from '../../../ui/inputs/segmented.js'
import { Card } from '../../../ui/layout/card.js'
import { Page } from '../../../ui/layout/page.js'
import { DataTable, type Column } from '../../../ui/table/data-table.js'
import { LongName } from '../../../ui/text/long-name.js'
import { PeerName } from '../../../ui/text/peer-name.js'
import styles from '../share-page.module.css'
import { servedBy, tokensByWeek, type Division, type Served } from './weeks.js'

const { ledger: words } = strings.share
/** Half a year of bars is as wide as a card. */
const WEEKS = 26
const COLORS = ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6'] as const

/** What this computer served, over weeks, by model and by peer. */
export function LedgerPage() {
  const client = useClient()
  const { busy, run } = useAction()
  const rows = useMemo(() => createCallStore(client, 'ledger.rows', { days: WEEKS * 7 }), [client])
  // The summary changes when a request was served: then the rows are asked for again.
  const summary = dataOf(useFeed('ledger'))
  useEffect(() => void rows.load(), [rows, summary])
  const save = (format: 'csv' | 'json') => async (): Promise<void> =>
    saveText(await client.call('ledger.export', { format }))
  return (
    <Page
      name={
        <a className={styles['back']} href={linkTo('share')}>
          <Icon name="back" size={14} />
          {words.back}
        </a>
      }
      sentence={summary === undefined ? strings.state.loading : words.sentence(summary.ever, summary.firstDay)}
      actions={
        summary?.firstDay != null &&
        (['csv', 'json'] as const).map((format) => (
          <Button key={format} icon="download" disabled={busy} onClick={() => run(save(format))}>
            {words.export[format]}
          </Button>
        ))
      }
    >
      <FeedView state={useStore(rows.store)}>{(list) => <Weeks rows={list} />}</FeedView>
    </Page>
  )
}

function Weeks({ rows }: { rows: readonly LedgerRow[] }) {
  const [division, setDivision] = useState<Division>('model')
  const people = dataOf(useFeed('people')) ?? []
  if (rows.length === 0) {
    return (
      <Card>
        <Empty icon="share" title={words.empty}>
          {words.emptyHint}
        </Empty>
      </Card>
    )
  }
  const nameOf = (of: string | null): string => {
    if (of === null) return words.others
    return division === 'model' ? of : (people.find(({ peerId }) => peerId === of)?.label ?? shortPeerId(of))
  }
  const { atMs, series } = tokensByWeek(rows, { division, weeks: WEEKS, most: COLORS.length - 1, todayMs: Date.now() })
  const served = servedBy(rows, division)
  const total = served.reduce((sum, { tokens }) => sum + tokens, 0)
  return (
    <>
      <Card
        title={words.chart}
        aside={
          <Segmented
            label={words.division.label}
            options={(['model', 'peer'] as const).map((value) => ({ value, label: words.division[value] }))}
            value={division}
            onChange={setDivision}
          />
        }
      >
        <Chart
          label={words.summary(total)}
          atMs={atMs}
          format={(value) => formatCompact(value)}
          shape="bars"
          none={words.empty}
          series={series.map(({ of, tokens }, index) => ({
            label: nameOf(of),
            color: COLORS[index] ?? '--series-6',
            values: tokens,
          }))}
        />
      </Card>
      <Card title={words.division[division]} flush>
        <DataTable
          label={words.division[division]}
          columns={columnsFor(division)}
          rows={served}
          rowKey={({ of }) => of ?? ''}
        />
      </Card>
    </>
  )
}

function columnsFor(division: Division): readonly Column<Served>[] {
  return [
    {
      key: 'of',
      header: words.column[division],
      cell: ({ of }) =>
        of === null ? (
          words.others
        ) : division === 'model' ? (
          <code>
            <LongName name={of} />
          </code>
        ) : (
          <PeerName peerId={of} />
        ),
    },
    {
      key: 'requests',
      header: words.column.requests,
      numeric: true,
      largestFirst: true,
      width: 106,
      sortBy: ({ requests }) => requests,
      cell: ({ requests }) => formatNumber(requests),
    },
    {
      key: 'tokens',
      header: words.column.tokens,
      numeric: true,
      largestFirst: true,
      width: 106,
      sortBy: ({ tokens }) => tokens,
      cell: ({ tokens }) => formatNumber(tokens),
    },
  ]
}
